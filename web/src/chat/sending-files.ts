/** Files that were chosen, dropped or pasted: each becomes a message that shows at once, with its progress. */
import { useClient } from "@parley/react";
import { useCallback } from "react";

export type SendFiles = (files: Iterable<File>, caption?: string) => void;

export function useFiles(id: string): SendFiles {
  const client = useClient();
  return useCallback(
    (files, caption) => {
      let words = caption;
      for (const file of files) {
        const options = { name: file.name || "image.png", ...(words && { caption: words }) };
        client.sendFile({ conversation_id: id }, file, options).stored.catch(() => undefined); // it stands there as failed
        words = undefined;
      }
    },
    [client, id],
  );
}
