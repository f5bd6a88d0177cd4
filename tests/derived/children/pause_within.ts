/** `pause_within.ts PATH project|rebuild`: rebuilds derived state, and pauses halfway. */

import { OpLog } from "../../../mod.ts";
import { counts } from "../projections.ts";
import { pause } from "./pause.ts";

const [path, what] = Deno.args;
using log = OpLog.open(path);
if (what === "rebuild") log.rebuild(pause);
else {
  log.project({
    ...counts,
    step: (state, entry) => {
      pause();
      return counts.step(state, entry);
    },
  }, { rebuild: true });
}
