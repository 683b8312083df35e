// plugin-tee 0.1.9 uploads quotes with it; the tests never do.
export const fetch = () => { throw new Error("no network in the compatibility tests"); };
