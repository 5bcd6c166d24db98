/** Recording what somebody says: its sound, how long it is, and how loud it was. */
import type { Media } from "./shelf";
import { waveformOf } from "./sound";

export type Recorded = { blob: Blob; name: string; media: Media };
export interface Recording {
  /** Ends it; null where there is nothing in it. */
  stop(): Promise<Recorded | null>;
  /** Ends it, and forgets it. */
  cancel(): void;
}

/** What the server takes, and browsers can make; the first that this one can. */
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const LOOK_MS = 100;

export function canRecord(): boolean {
  const isThere = typeof MediaRecorder !== "undefined" && navigator.mediaDevices !== undefined;
  return isThere && TYPES.some((type) => MediaRecorder.isTypeSupported(type));
}

/** Begins. Rejects where the user, or the browser, does not let the page listen. `onLevel`: 0 to 1, some times a second. */
export async function record(onLevel: (level: number) => void): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "audio/webm";
  const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 32_000 });
  const parts: Blob[] = [];
  const levels: number[] = [];
  const began = performance.now();
  recorder.ondataavailable = (event) => event.data.size > 0 && parts.push(event.data);
  const measured = measure(stream, (level) => {
    levels.push(level);
    onLevel(level);
  });
  const ended = new Promise<void>((resolve) => {
    recorder.onstop = () => resolve();
    recorder.onerror = () => resolve();
  });
  recorder.start(1_000);
  const end = async () => {
    if (recorder.state !== "inactive") recorder.stop();
    await ended;
    measured();
    for (const track of stream.getTracks()) track.stop();
  };
  return {
    stop: async () => {
      const duration_ms = Math.round(performance.now() - began);
      await end();
      const type = mimeType.split(";")[0] as string;
      const blob = new Blob(parts, { type });
      if (!blob.size) return null;
      const waveform = waveformOf(levels);
      const name = `voice.${type === "audio/mp4" ? "m4a" : type.slice("audio/".length)}`;
      return { blob, name, media: { kind: "audio", duration_ms, ...(waveform.length && { waveform }) } };
    },
    cancel: () => void end(),
  };
}

/** How loud it is, for as long as it is listened to. Returns how to end it; a browser that can't say so says nothing. */
function measure(stream: MediaStream, onLevel: (level: number) => void): () => void {
  try {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1_024;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      onLevel(Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length));
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
      void context.close().catch(() => undefined);
    };
  } catch {
    return () => undefined;
  }
}

const LONGEST_LOOK_MS = 2_000;

/** What the server takes as a sound or a film, by the names that browsers have for it. All else is a file. */
const PLAYED = /^(?:(audio)\/(?:mpeg|mp4|x-m4a|ogg|wav|x-wav|webm)|(video)\/(?:mp4|webm|quicktime))(?:;|$)/;

export function kindOf({ type }: Blob): "audio" | "video" | undefined {
  const [, audio, video] = PLAYED.exec(type) ?? [];
  return (audio ?? video) as "audio" | "video" | undefined;
}

/** How long a sound or a film is, as far as this browser can tell. */
export async function mediaOf(file: Blob): Promise<Media | undefined> {
  const kind = kindOf(file);
  if (!kind) return undefined;
  const element = document.createElement(kind);
  const url = URL.createObjectURL(file);
  try {
    const seconds = await new Promise<number>((resolve) => {
      setTimeout(() => resolve(0), LONGEST_LOOK_MS);
      element.onloadedmetadata = () => resolve(element.duration);
      element.onerror = () => resolve(0);
      element.preload = "metadata";
      element.src = url;
    });
    return Number.isFinite(seconds) && seconds > 0 ? { kind, duration_ms: Math.round(1_000 * seconds) } : { kind };
  } finally {
    element.removeAttribute("src");
    URL.revokeObjectURL(url);
  }
}
