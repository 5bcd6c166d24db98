/** A question before something that can't be undone. */
import { useI18n } from "../i18n";
import { Dialog } from "./dialog";

interface Props {
  text: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ text, action, onConfirm, onClose }: Props) {
  const { t } = useI18n();
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return (
    <Dialog title={text} onClose={onClose}>
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={onClose}>
          {t("app.cancel")}
        </button>
        <button type="button" className="button danger" onClick={confirm}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
