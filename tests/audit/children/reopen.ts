/** Opens a log to append, and closes it. */
import { OpLog } from "../../../mod.ts";

OpLog.open(Deno.args[0]).close();
