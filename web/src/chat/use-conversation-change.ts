/** What a group says of itself is another from now on. */
import { type ConversationChange, updateConversation } from "@parley/client/more";
import { useClient } from "@parley/react";
import { useToasts } from "../ui/toast";

export function useConversationChange(id: string): (change: ConversationChange) => void {
  const client = useClient();
  const { trying } = useToasts();
  return (change) => void trying(updateConversation(client, id, change).then(() => client.refreshInbox()));
}
