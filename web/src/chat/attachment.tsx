/** What a message carries: a picture in place, or a file to be saved; while it is uploaded, how far it is. */
import type { FileOut, MessageItem } from "@parley/client";
import { useClient } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { unturned } from "../lib/text";
import { Icon } from "../ui/icon";
import { Lightbox } from "./lightbox";
import { useUpload, useUploads } from "./sending-files";

/** The longer side of a picture in a message. */
const LONGEST = 320;

export function Attachment({ item }: { item: MessageItem }) {
  const { message, upload } = item;
  if (upload && item.seq === null) return <Uploading item={item} upload={upload} />;
  return message.file_id ? <Stored id={message.file_id} isImage={message.type === "image"} /> : null;
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

function useLinks(id: string): FileOut | null | undefined {
  const client = useClient();
  const [file, setFile] = useState<FileOut | null>();
  useEffect(() => {
    let here = true;
    client.fileLinks(id).then(
      (found) => here && setFile({ ...found, name: unturned(found.name) }),
      () => here && setFile(null),
    );
    return () => {
      here = false;
    };
  }, [client, id]);
  return file;
}

function Stored({ id, isImage }: { id: string; isImage: boolean }) {
  const { t, size } = useI18n();
  const client = useClient();
  const file = useLinks(id);
  const [isOpen, setIsOpen] = useState(false);
  if (file === null) return <p className="attachment gone">{t("file.gone")}</p>;
  if (isImage) {
    const box = fitted(file?.width, file?.height);
    return (
      <>
        <button
          type="button"
          className="attachment picture"
          style={box}
          disabled={!file}
          aria-label={t("file.open", { name: file?.name ?? "" })}
          onClick={() => setIsOpen(true)}
        >
          {file && <img src={file.thumbnail_url ?? file.url ?? ""} alt="" width={box.width} height={box.height} />}
        </button>
        {isOpen && file && <Lightbox file={file} onClose={() => setIsOpen(false)} />}
      </>
    );
  }
  const download = async () => {
    const fresh = await client.fileLinks(id); // links end after five minutes
    if (fresh.url) location.assign(fresh.url);
  };
  return (
    <button
      type="button"
      className="attachment file"
      disabled={!file}
      aria-label={t("file.download", { name: file?.name ?? "" })}
      onClick={() => void download().catch(() => undefined)}
    >
      <span className="file-icon">
        <Icon name="file" />
      </span>
      <span className="file-text">
        <bdi className="file-name">{file?.name ?? "…"}</bdi>
        <small>{file && size(file.size)}</small>
      </span>
    </button>
  );
}

/** How large a picture is shown. Its place is kept before it is there, so that nothing moves when it comes. */
export function fitted(width?: number | null, height?: number | null): { width: number; height: number } {
  if (!width || !height) return { width: 240, height: 180 };
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  return { width: Math.max(64, Math.round(width * scale)), height: Math.max(48, Math.round(height * scale)) };
}
