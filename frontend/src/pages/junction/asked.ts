// What every part of the junction page is given.
import type { Schemas } from "../../api/client";

export interface Part {
  path: { result_id: string; camera_id: string };
  span: { start_ms: number | null; end_ms: number | null };
  junction: Schemas["JunctionPage"];
}
