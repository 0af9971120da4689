// From UTM to longitude and latitude: the series of Krueger (1912) to the third order, WGS84.

const RADIUS_M = 6378137;
const FLATTENING = 1 / 298.257223563;
const SCALE = 0.9996;

/** Returns longitude and latitude in degrees. */
export function lonlatOfUtm(east_m: number, north_m: number, zone: number, northern = true): [number, number] {
  const n = FLATTENING / (2 - FLATTENING);
  const a = (RADIUS_M / (1 + n)) * (1 + n ** 2 / 4 + n ** 4 / 64);
  const xi = (north_m - (northern ? 0 : 10_000_000)) / (SCALE * a);
  const eta = (east_m - 500_000) / (SCALE * a);
  const beta = [
    n / 2 - (2 / 3) * n ** 2 + (37 / 96) * n ** 3,
    n ** 2 / 48 + n ** 3 / 15,
    (17 / 480) * n ** 3,
  ];
  let [x, y] = [xi, eta];
  beta.forEach((b, i) => {
    const k = 2 * (i + 1);
    x -= b * Math.sin(k * xi) * Math.cosh(k * eta);
    y -= b * Math.cos(k * xi) * Math.sinh(k * eta);
  });
  const chi = Math.asin(Math.sin(x) / Math.cosh(y));
  const delta = [
    2 * n - (2 / 3) * n ** 2 - 2 * n ** 3,
    (7 / 3) * n ** 2 - (8 / 5) * n ** 3,
    (56 / 15) * n ** 3,
  ];
  const latitude = delta.reduce((sum, d, i) => sum + d * Math.sin(2 * (i + 1) * chi), chi);
  const longitude = Math.atan2(Math.sinh(y), Math.cos(x)) + (((zone * 6 - 183) * Math.PI) / 180);
  return [(longitude * 180) / Math.PI, (latitude * 180) / Math.PI];
}
