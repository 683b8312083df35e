// Stands in for @elizaos/core: plugin-tee only logs through it.
export const elizaLogger = { log() {}, info() {}, error: console.error };
