// Hands one clip in as the body of a request, and says how far it is.
import { addressOf, type Schemas, sentencesOf } from "../../api/client";
import { said, t } from "../../i18n/words.svelte";

export interface Sending {
  name: string;
  size: number;
  share: number;
  refusal: string;
  xhr: XMLHttpRequest | undefined;
}

/** Sends a file; undefined, with the reason in `sending`, when it was refused. */
export function send(file: File, sending: Sending): Promise<Schemas["UploadRow"] | undefined> {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", addressOf("/api/uploads", { query: { name: file.name } }));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) sending.share = event.loaded / event.total;
    };
    request.onerror = () => {
      sending.refusal = t("problem.offline");
      done(undefined);
    };
    request.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = undefined;
      }
      if (request.status === 201) {
        sending.share = 1;
        done(body as Schemas["UploadRow"]);
        return;
      }
      const code = String(request.status);
      const known = said("problem", code);
      sending.refusal = [known === code ? t("problem.other", { status: code }) : known, ...sentencesOf(body)].join(" ");
      done(undefined);
    };
    request.send(file);
  });
}
