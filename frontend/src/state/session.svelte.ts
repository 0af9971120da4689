// Who is signed in, what they may do, and what this installation is.
import { api, Refusal, type Schemas, whenSignedOut } from "../api/client";

export type Right = Schemas["Me"]["rights"][number];

// The cookie is out of reach of scripts; this says whether asking who we are is worth a request.
const HINT = "calmstreet-signed-in";

class Session {
  me: Schemas["Me"] | null = $state.raw(null);
  node: Schemas["NodeFacts"] | null = $state.raw(null);
  results: Schemas["ResultCard"][] = $state.raw([]);
  known = $state(false);
  refusal: Refusal | undefined = $state.raw(undefined);

  constructor() {
    whenSignedOut(() => this.left());
  }

  may(right: Right): boolean {
    return this.me?.rights.includes(right) ?? false;
  }

  /** Asks who we are; to be called once, at the start. */
  async begin(): Promise<void> {
    try {
      this.node = await api.get("/api/node");
      if (localStorage.getItem(HINT)) {
        this.me = await api.get("/api/session");
        await this.refresh();
      }
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) {
        this.refusal = error instanceof Refusal ? error : new Refusal(-1, [String(error)]);
      } else this.left();
    }
    this.known = true;
  }

  async refresh(): Promise<void> {
    if (this.me && !this.me.must_change_password) this.results = await api.get("/api/results");
  }

  async signIn(name: string, password: string): Promise<void> {
    this.me = await api.post("/api/session", { body: { name, password } });
    localStorage.setItem(HINT, "1");
    await this.refresh();
  }

  async signOut(): Promise<void> {
    await api.delete("/api/session");
    this.left();
  }

  private left(): void {
    this.me = null;
    localStorage.removeItem(HINT);
  }

  async changePassword(old: string, fresh: string): Promise<void> {
    this.me = await api.put("/api/session/password", { body: { old, new: fresh } });
    await this.refresh();
  }

  result(id: string): Schemas["ResultCard"] | undefined {
    return this.results.find((result) => result.result_id === id);
  }

  camera(resultId: string, cameraId: string): Schemas["CameraCard"] | undefined {
    return this.result(resultId)?.cameras.find((camera) => camera.camera_id === cameraId);
  }
}

export const session = new Session();
