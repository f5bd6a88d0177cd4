/**
 * `@std/cli/unstable-progress-bar` 1, written from its public API, for machines
 * that can't reach jsr.io. It draws as the original does, byte for byte.
 *
 * @module
 */

/** What a bar's line is made of. */
export interface ProgressBarFormatter {
  /** The time since the start, as `mm:ss`. */
  styledTime: string;
  /**
   * Value and maximum as amounts of data, `0.40/97.66 KiB`, always to two
   * places. A method: it needs its object.
   */
  styledData: (fractions?: number) => string;
  /** The bar itself: `###-------`. */
  progressBar: string;
  /** Milliseconds since the start. */
  time: number;
  /** `time` at the last drawing. */
  previousTime: number;
  /** How far it is. */
  value: number;
  /** `value` at the last drawing. */
  previousValue: number;
  /** How far it goes. */
  max: number;
}

/** How a {@linkcode ProgressBar} looks and where it goes. */
export interface ProgressBarOptions {
  /** How far it goes. */
  max: number;
  /** How far it is at the start: 0, unless told. */
  value?: number;
  /** Where it is drawn: standard error, unless told. */
  writable?: WritableStream<Uint8Array>;
  /** The bar's length in characters: 50, unless told. */
  barLength?: number;
  /** The bar's done part: `#`, unless told. */
  fillChar?: string;
  /** The bar's other part: `-`, unless told. */
  emptyChar?: string;
  /** Whether `stop` erases the line instead of ending it. */
  clear?: boolean;
  /** Makes the line. */
  formatter?: (formatter: ProgressBarFormatter) => string;
  /** Whether `stop` leaves `writable` open: it does, unless told. */
  keepOpen?: boolean;
  /** Milliseconds between drawings: 1,000, unless told. */
  interval?: number;
}

/** Back to the start of the line, and erase it. */
const ERASE = "\r\x1b[K";

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/**
 * A line on a terminal that shows how far some work is. It is drawn at once,
 * then at every interval, then when stopped; until then it locks its stream.
 */
export class ProgressBar {
  /** How far it is. */
  value: number;
  /** How far it goes. */
  max: number;

  readonly #look: Required<
    Pick<
      ProgressBarOptions,
      "barLength" | "fillChar" | "emptyChar" | "clear" | "formatter"
    >
  >;
  readonly #writer: WritableStreamDefaultWriter<string>;
  readonly #written: Promise<void>;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startTime: number;
  #previousTime = 0;
  #previousValue: number;

  /** Starts a bar. */
  constructor(options: ProgressBarOptions) {
    const {
      max,
      value = 0,
      writable = Deno.stderr.writable,
      barLength = 50,
      fillChar = "#",
      emptyChar = "-",
      clear = false,
      formatter = defaultFormatter,
      keepOpen = true,
      interval = 1_000,
    } = options;
    this.value = value;
    this.max = max;
    this.#look = { barLength, fillChar, emptyChar, clear, formatter };

    const encoder = new TextEncoderStream();
    this.#writer = encoder.writable.getWriter();
    this.#written = encoder.readable
      .pipeTo(writable, { preventClose: keepOpen })
      .catch(() => clearInterval(this.#timer));
    this.#startTime = Date.now();
    this.#previousValue = value;
    this.#timer = setInterval(() => this.#draw(), interval);
    this.#draw();
  }

  /** Draws a last time, or erases the line, and lets go of the stream. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    try {
      if (this.#look.clear) await this.#writer.write(ERASE);
      else {
        await this.#draw();
        await this.#writer.write("\n");
      }
      await this.#writer.close();
      await this.#written;
    } catch {
      // A stream that failed, or a second stop: there's nothing left to draw.
    }
  }

  async #draw(): Promise<void> {
    const state = this.#state();
    const line = this.#look.formatter(state);
    try {
      await this.#writer.write(ERASE + line);
    } catch {
      // The reader has gone: the work goes on unseen.
    }
    this.#previousTime = state.time;
    this.#previousValue = state.value;
  }

  #state(): ProgressBarFormatter {
    const { value, max } = this;
    const { barLength, fillChar, emptyChar } = this.#look;
    const time = Date.now() - this.#startTime;
    const done = Math.trunc(
      Math.min(Math.max(value / max, 0), 1) * barLength,
    );
    return {
      styledTime: [time / 60_000, time / 1_000 % 60]
        .map((part) => `${Math.trunc(part)}`.padStart(2, "0")).join(":"),
      styledData() {
        return dataFraction(this.value, this.max);
      },
      progressBar: fillChar.repeat(done) + emptyChar.repeat(barLength - done),
      time,
      previousTime: this.#previousTime,
      value,
      previousValue: this.#previousValue,
      max,
    };
  }
}

function defaultFormatter(it: ProgressBarFormatter): string {
  return `[${it.styledTime}] [${it.progressBar}] [${it.styledData()}]`;
}

/** Both in the largest unit that the maximum fills. */
function dataFraction(value: number, max: number): string {
  let unit = 0;
  while (unit + 1 < UNITS.length && !(1024 ** (unit + 2) > max)) unit++;
  const [shown, of] = [value, max].map((amount) => (amount / 1024 ** (unit + 1)).toFixed(2));
  return `${shown}/${of} ${UNITS[unit]}`;
}
