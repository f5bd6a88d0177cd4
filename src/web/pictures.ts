/** Pictures of explanations. @module */
import type { Explanation } from "../claims/claim.ts";
export type Picture = { readonly is: "drawn"; readonly svg: string } | { readonly is: "drawing" } | {
  readonly is: "failed";
  readonly message: string;
};
export class Pictures {
  constructor(_onDrawn: () => void) {}
  of(_explanation: Explanation): Picture {
    return { is: "drawing" };
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
