/** While somebody speaks: how long it is by now, and the ways to end it. It is sent where it gets too long. */
import { useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { type Recorded, type Recording, record } from "../lib/recorder";
import { clock } from "../lib/sound";
import { IconButton } from "../ui/icon-button";

/** Ten minutes. */
const LONGEST_S = 600;

interface Props {
  onDone: (recorded: Recorded) => void;
  onEnd: () => void;
  onRefused: () => void;
}

export function RecordingLine({ onDone, onEnd, onRefused }: Props) {
  const { t } = useI18n();
  const [seconds, setSeconds] = useState(0);
  const [level, setLevel] = useState(0);
  const sender = useRef<HTMLButtonElement>(null);
  const recording = useRef<Promise<Recording> | null>(null);
  const ends = useRef({ onDone, onEnd, onRefused });
  ends.current = { onDone, onEnd, onRefused };
  useEffect(() => {
    let isOver = false;
    const begun = record((now) => setLevel(now));
    recording.current = begun;
    sender.current?.focus();
    begun.then(
      (one) => isOver && one.cancel(),
      () => !isOver && ends.current.onRefused(),
    );
    const timer = setInterval(() => setSeconds((now) => now + 1), 1_000);
    return () => {
      isOver = true;
      clearInterval(timer);
      begun.then((one) => one.cancel()).catch(() => undefined);
    };
  }, []);
  const send = async () => {
    const recorded = await recording.current?.then((one) => one.stop()).catch(() => null);
    if (recorded) onDone(recorded);
    onEnd();
  };
  useEffect(() => {
    if (seconds >= LONGEST_S) void send();
  });
  return (
    <div className="composer-line recording">
      <IconButton icon="trash" label={t("record.cancel")} onClick={onEnd} />
      <meter className="level" min={0} max={0.3} value={Math.min(level, 0.3)} aria-hidden="true" />
      <span role="timer" aria-label={t("record.running")}>
        {clock(seconds)}
      </span>
      <IconButton icon="send" className="send" label={t("record.send")} ref={sender} onClick={() => void send()} />
    </div>
  );
}
