/** A picture as large as the window has room for. */
import type { FileOut } from "@parley/client";
import { useClient } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { Dialog } from "../ui/dialog";

export function Lightbox({ file, onClose }: { file: FileOut; onClose: () => void }) {
  const { t } = useI18n();
  const client = useClient();
  const [url, setUrl] = useState(file.thumbnail_url ?? "");
  useEffect(() => {
    let here = true;
    client.fileLinks(file.file_id).then(
      (fresh) => here && fresh.url && setUrl(fresh.url),
      () => undefined, // the thumbnail stays
    );
    return () => {
      here = false;
    };
  }, [client, file]);
  return (
    <Dialog title={file.name} onClose={onClose} wide>
      {url && (
        <img
          className="lightbox"
          src={url}
          alt={file.name}
          width={file.width ?? undefined}
          height={file.height ?? undefined}
        />
      )}
      <a className="button" href={url} target="_blank" rel="noopener noreferrer">
        {t("file.download", { name: file.name })}
      </a>
    </Dialog>
  );
}
