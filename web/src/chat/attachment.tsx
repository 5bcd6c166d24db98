/** What a message carries: pictures in place, sounds and films to be played, files to be saved, cards; on its way, how far it is. */
import type { MessageItem } from "@parley/client";
import { useI18n } from "../i18n";
import { unturned } from "../lib/text";
import { Icon } from "../ui/icon";
import { Card } from "./card";
import { Film, Sound } from "./media";
import { useUpload, useUploads } from "./sending-files";
import { StoredFile, StoredPicture } from "./stored";

type Hung = NonNullable<MessageItem["message"]["attachments"]>[number];

/** The one file of a message, and whatever else hangs on it. */
export function Attachments({ item }: { item: MessageItem }) {
  const { message, upload } = item;
  if (upload && item.seq === null) return <Uploading item={item} upload={upload} />;
  const hung = message.attachments ?? [];
  const pictures = hung.filter((one) => one.type === "image" && one.file_id);
  const others = hung.filter((one) => !pictures.includes(one));
  return (
    <>
      {message.file_id && <Stored kind={message.type} id={message.file_id} media={message.media} />}
      {pictures.length > 0 && (
        <div className={pictures.length > 1 ? "pictures many" : "pictures"}>
          {pictures.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: what hangs on a message keeps its order
            <StoredPicture key={`${index}${one.file_id}`} id={one.file_id as string} />
          ))}
        </div>
      )}
      {others.map((one, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <HungOn key={`${index}${one.type}`} one={one} />
      ))}
    </>
  );
}

function HungOn({ one }: { one: Hung }) {
  if (typeof one.file_id !== "string") return <Card card={one} />;
  const { duration_ms } = one;
  const media = typeof duration_ms === "number" ? { duration_ms } : undefined;
  return <Stored kind={one.type} id={one.file_id} media={media} />;
}

interface StoredProps {
  kind: string;
  id: string;
  media: MessageItem["message"]["media"];
}

function Stored({ kind, id, media }: StoredProps) {
  if (kind === "image") return <StoredPicture id={id} />;
  if (kind === "audio") return <Sound id={id} media={media} />;
  if (kind === "video") return <Film id={id} media={media} />;
  return <StoredFile id={id} />;
}

interface UploadingProps {
  item: MessageItem;
  upload: NonNullable<MessageItem["upload"]>;
}

function Uploading({ item, upload: { done, total, previewUrl, ...upload } }: UploadingProps) {
  const { t } = useI18n();
  const uploads = useUploads();
  const waiting = useUpload(item);
  const name = unturned(upload.name);
  const more = waiting?.more?.length ?? 0;
  const label = t("file.progress", { n: total ? Math.round((100 * done) / total) : 0 });
  return (
    <div className="attachment uploading">
      {previewUrl && item.state !== "failed" ? (
        <img src={previewUrl} alt={name} />
      ) : (
        <span className="file-name">
          <Icon name="file" />
          <bdi>{name}</bdi>
        </span>
      )}
      {more > 0 && <small>{t("file.andMore", { n: more })}</small>}
      {item.state !== "failed" && (
        <div className="file-way">
          {waiting?.state === "waiting" ? (
            <small>{t("file.waiting")}</small>
          ) : (
            <progress value={done} max={total || 1} aria-label={label} />
          )}
          {waiting && (
            <button
              type="button"
              className="icon-button small"
              aria-label={t("file.cancel", { name })}
              onClick={() => uploads.discard(item.key)}
            >
              <Icon name="close" size={16} />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
