// Where we are: "#/junction/RESULT/CAMERA?start=…". Addresses can be kept and sent.

import { hashOf, type Place, placeOf } from "../compute/address";

export { hashOf };

class Route {
  place: Place = $state(placeOf(location.hash));

  constructor() {
    addEventListener("hashchange", () => {
      this.place = placeOf(location.hash);
    });
  }

  go(hash: string, replace = false): void {
    if (replace) {
      history.replaceState(null, "", hash);
      this.place = placeOf(hash);
    } else if (location.hash !== hash) location.hash = hash;
  }
}

export const route = new Route();
