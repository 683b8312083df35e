package appcompose

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
)

// CheckLaunch compares the launch token that arrived in the encrypted environment with the hash that the measured app-compose file
// carries. Anybody can seal an environment to an app's public key, so without the token the host could swap it. A file without the
// hash asks for nothing.
func CheckLaunch(appCompose []byte, token string) error {
	if len(appCompose) == 0 {
		return nil
	}
	var doc struct {
		Requirements *Requirements `json:"requirements"`
	}
	if err := json.Unmarshal(appCompose, &doc); err != nil {
		return errors.New("the platform's app-compose is not JSON")
	}
	if doc.Requirements == nil || doc.Requirements.LaunchTokenHash == "" {
		return nil
	}
	if token == "" {
		return errors.New("the measured app-compose asks for a launch token and TEAPOT_LAUNCH_TOKEN is not in the environment: the environment is not the one that was sealed for this app")
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(doc.Requirements.LaunchTokenHash)) != 1 {
		return errors.New("TEAPOT_LAUNCH_TOKEN is not the one whose hash the measured app-compose carries: somebody swapped the encrypted environment; nothing was started")
	}
	return nil
}
