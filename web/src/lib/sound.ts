/** How sounds are drawn and told: bars from 0 to 1, and minutes with seconds. */

const BARS = 40;
const LEAST = 0.08;

/** As many bars as there is room for, of what was measured (0 to 100 each); flat where nothing was. */
export function barsOf(waveform: readonly number[], count = BARS): number[] {
  return loudestOf(waveform, count).map((loudest) => Math.max(LEAST, Math.min(1, loudest / 100)));
}

/** What was measured while it was recorded (0 to 1 each), as a message says it: at most a hundred of 0 to 100, the loudest 100. */
export function waveformOf(levels: readonly number[], most = 100): number[] {
  const loudest = Math.max(...levels, 0);
  if (!(loudest > 0)) return levels.slice(0, most).map(() => 0);
  return loudestOf(levels, Math.min(most, levels.length)).map((one) => Math.round((100 * one) / loudest));
}

/** So many parts of it, each as loud as it is anywhere within. */
function loudestOf(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * values.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / count));
    return Math.max(0, ...values.slice(from, to).filter(Number.isFinite));
  });
}

/** 1:05 */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
