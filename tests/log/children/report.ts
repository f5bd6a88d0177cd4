/** Prints what a script did, or why it could not, for the process that started it. */
export function report(work: () => unknown): void {
  console.log(JSON.stringify(outcome(work)));
}

function outcome(work: () => unknown): unknown {
  try {
    return { value: work() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: error.name, code: "code" in error ? error.code : undefined };
  }
}
