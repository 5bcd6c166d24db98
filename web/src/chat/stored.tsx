/** A file that is stored: a picture in its place, or a file to be saved. */
import type { FileOut } from "@parley/client";
import { useClient } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { unturned } from "../lib/text";
import { Icon } from "../ui/icon";
import { Lightbox } from "./lightbox";

/** The longer side of a picture in a message. */
const LONGEST = 320;

/** Null: it is not there, or not for us. */
export function useLinks(id: string): FileOut | null | undefined {
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

export function Gone() {
  const { t } = useI18n();
  return <p className="attachment gone">{t("file.gone")}</p>;
}

export function StoredPicture({ id }: { id: string }) {
  const { t } = useI18n();
  const file = useLinks(id);
  const [isOpen, setIsOpen] = useState(false);
  if (file === null) return <Gone />;
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

export function StoredFile({ id }: { id: string }) {
  const { t, size } = useI18n();
  const client = useClient();
  const file = useLinks(id);
  if (file === null) return <Gone />;
  const download = async () => {
    const fresh = await client.fileLinks(id); // links end after five minutes
    if (fresh.url) location.assign(fresh.url);
  };
  return (
    <button
      type="button"
      className="attachment file"
      disabled={!file}
      aria-label={`${t("file.download", { name: file?.name ?? "" })} ${file ? size(file.size) : ""}`}
      onClick={() => void download().catch(() => undefined)}
    >
      <span className="file-icon">
        <Icon name="file" />
      </span>
      <span className="file-text">
        <bdi className="file-name">{file?.name ?? "…"}</bdi> <small>{file && size(file.size)}</small>
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
