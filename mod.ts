/**
 * Mnema's operation log: a signed, append-only log of content-addressed operations in one SQLite file.
 *
 * @module
 */

export {
  AmbiguousIdError,
  CanonicalError,
  DanglingReferenceError,
  FileError,
  InconsistentError,
  LogError,
  NotFoundError,
  OperationError,
  ProofError,
  RefusedError,
} from "./src/errors.ts";
export type { CanonicalRule, LogErrorCode, OperationCheck } from "./src/errors.ts";
export { encodeCanonical, parseCanonical } from "./src/wire/canonical.ts";
export { parseJson } from "./src/wire/json.ts";
export type { CanonicalObject, CanonicalValue } from "./src/wire/value.ts";
export { Identity } from "./src/keys/identity.ts";
export type { Signer } from "./src/keys/signer.ts";
export { Operation } from "./src/wire/operation.ts";
export type { OperationDraft } from "./src/wire/operation.ts";
export type { OperationWire } from "./src/wire/envelope.ts";
export { OpLog } from "./src/oplog.ts";
export type { AppendOptions, Entry } from "./src/oplog.ts";
export type { OpenOptions } from "./src/log/open.ts";
export type { LogStats } from "./src/log/stats.ts";
export { Proofs } from "./src/checkpoints/proofs.ts";
export type { CheckpointOptions } from "./src/checkpoints/proofs.ts";
export { audit } from "./src/audit/audit.ts";
export type { AuditOptions, AuditProgress, AuditReport, Finding, FindingKind } from "./src/audit/audit.ts";
export { Claims } from "./src/claims/claims.ts";
export type { ClaimDraft, RulingOptions } from "./src/claims/claims.ts";
export type {
  Cascade,
  CascadePreview,
  Claim,
  ClaimFilter,
  ClaimOrder,
  ClaimStats,
  ClaimStatus,
  Evidence,
  Explanation,
  ExplanationNode,
  Fall,
  Ruling,
} from "./src/claims/claim.ts";
export { formatDot, formatJson, formatMermaid, formatTree } from "./src/render/format.ts";
export type { TreeOptions, TreeStyle } from "./src/render/format.ts";
export { formatSvg } from "./src/layout/svg.ts";
export type { FormatSvgOptions } from "./src/layout/svg.ts";
export type { LayoutOptions } from "./src/layout/layout.ts";
export type { SvgOptions } from "./src/render/svg.ts";
export type { Projection, ReplayEntry } from "./src/derived/projection.ts";
export type { EntriesOptions } from "./src/log/entries.ts";
export type { FollowOptions } from "./src/log/follow.ts";
export type { IngestOptions, IngestReport, Outcome } from "./src/ingest/ingest.ts";
export type { IngestSource } from "./src/ingest/blocks.ts";
export type { Refusal } from "./src/ingest/check.ts";
