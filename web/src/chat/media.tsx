/** Sounds and films: nothing of them is loaded before they are played, since links end after five minutes. */
import type { FileOut, MessageItem } from "@parley/client";
import { useClient } from "@parley/react";
import { useRef, useState } from "react";
import { useI18n } from "../i18n";
import { barsOf, clock } from "../lib/sound";
import { Icon } from "../ui/icon";
import { Gone } from "./stored";

interface Props {
  id: string;
  media: MessageItem["message"]["media"];
}

/** The address of a file that is good now; null where there is none. */
function useSource(id: string) {
  const client = useClient();
  const [source, setSource] = useState<string | null | undefined>();
  const ask = async () => {
    const file: FileOut | null = await client.fileLinks(id).catch(() => null);
    setSource(file?.url ?? null);
    return file?.url ?? null;
  };
  return { source, ask };
}

/** How the bars lie: each as broad as the pause after it. */
const BAR = 3;
const STEP = 5;
const TALL = 28;

export function Sound({ id, media }: Props) {
  const { t } = useI18n();
  const { source, ask } = useSource(id);
  const player = useRef<HTMLAudioElement>(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [known, setKnown] = useState((media?.duration_ms ?? 0) / 1_000);
  if (source === null) return <Gone />;
  const toggle = async () => {
    const audio = player.current;
    if (!audio) return;
    if (isPlaying) return audio.pause();
    if (!audio.src || audio.error) {
      const url = await ask();
      if (!url) return;
      audio.src = url;
    }
    await audio.play().catch(() => undefined);
  };
  const bars = barsOf(media?.waveform ?? []);
  const share = known ? Math.min(1, at / known) : 0;
  return (
    <div className="attachment sound">
      {/* biome-ignore lint/a11y/useMediaCaption: what somebody says into their phone comes without captions */}
      <audio
        ref={player}
        preload="none"
        onPlay={() => setIsPlaying(true)}
        onPause={() => setIsPlaying(false)}
        onEnded={() => setAt(0)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onDurationChange={(event) => {
          const { duration } = event.currentTarget;
          if (Number.isFinite(duration) && duration > 0) setKnown(duration);
        }}
      />
      <button
        type="button"
        className="icon-button play"
        aria-label={t(isPlaying ? "sound.pause" : "sound.play")}
        onClick={() => void toggle()}
      >
        <Icon name={isPlaying ? "pause" : "play"} />
      </button>
      <span className="sound-line">
        <svg viewBox={`0 0 ${bars.length * STEP} ${TALL}`} className="waveform" aria-hidden="true">
          {bars.map((height, index) => (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: bars have no other name than their place
              key={index}
              className={index / bars.length < share ? "heard" : undefined}
              x={index * STEP}
              y={(TALL * (1 - height)) / 2}
              width={BAR}
              height={TALL * height}
              rx={1.5}
            />
          ))}
        </svg>
        <input
          type="range"
          min={0}
          max={known || 1}
          step={0.1}
          value={Math.min(at, known || 1)}
          disabled={!known}
          aria-label={t("sound.place")}
          aria-valuetext={clock(at)}
          onChange={(event) => {
            const place = Number(event.target.value);
            setAt(place);
            if (player.current?.src) player.current.currentTime = place;
          }}
        />
      </span>
      <small className="sound-time">{clock(at || known)}</small>
    </div>
  );
}

export function Film({ id, media }: Props) {
  const { t } = useI18n();
  const { source, ask } = useSource(id);
  if (source === null) return <Gone />;
  if (source === undefined) {
    return (
      <button type="button" className="attachment film" aria-label={t("film.play")} onClick={() => void ask()}>
        <Icon name="play" size={36} />
        {media?.duration_ms !== undefined && <small>{clock(media.duration_ms / 1_000)}</small>}
      </button>
    );
  }
  return (
    // biome-ignore lint/a11y/useMediaCaption: what people film comes without captions
    <video className="attachment film" src={source} controls autoPlay playsInline onError={() => void ask()} />
  );
}
