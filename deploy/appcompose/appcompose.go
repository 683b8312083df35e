// Package appcompose makes the app-compose.json that a dstack guest measures, byte for byte, and its derived identifiers.
//
// The guest hashes the bytes it gets, without normalising: so this package makes bytes once and everything else (hash, app id,
// policy, upload) uses exactly these bytes. It trusts nothing; the platform's word about the hash is compared, never taken.
// Source: facts on dstack, section 8.
package appcompose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// maxFile is what a dstack guest accepts, in bytes.
const maxFile = 256 << 10

// Document has the members Teapot writes, in the order of sorted keys. Members that would weaken the measurement (scripts,
// docker_config) do not exist here.
type Document struct {
	AllowedEnvs       []string      `json:"allowed_envs"`
	DockerComposeFile string        `json:"docker_compose_file"`
	GatewayEnabled    bool          `json:"gateway_enabled"`
	KMSEnabled        bool          `json:"kms_enabled"`
	LocalKeyProvider  bool          `json:"local_key_provider_enabled"`
	ManifestVersion   any           `json:"manifest_version"` // 2, or "3" with Requirements
	Name              string        `json:"name"`
	NoInstanceID      bool          `json:"no_instance_id"`
	PublicLogs        bool          `json:"public_logs"`
	PublicSysinfo     bool          `json:"public_sysinfo"`
	PublicTCBInfo     bool          `json:"public_tcbinfo"`
	Requirements      *Requirements `json:"requirements,omitempty"`
	Runner            string        `json:"runner"`
	SecureTime        bool          `json:"secure_time"`
}

// Requirements of dstack 0.6: the launch token's hash keeps the host from starting this app with another environment.
type Requirements struct {
	LaunchTokenHash string `json:"launch_token_hash,omitempty"`
}

// Options of one app.
type Options struct {
	Name        string
	Compose     []byte   // docker compose file, exact bytes
	AllowedEnvs []string // names of the variables that arrive encrypted
	KMS         bool     // keys from the platform's KMS; false: the local key provider
	Gateway     bool
	LaunchToken []byte // random; its SHA-256 is measured, so the env that carries it was sealed by who rendered the app
}

// App is one rendered app: exact bytes and what follows from them.
type App struct {
	Bytes []byte
	Hash  [32]byte // SHA-256 of Bytes: the compose hash
}

// ID is the app id: the first 20 bytes of the compose hash, in hex.
func (a App) ID() string { return hex.EncodeToString(a.Hash[:20]) }

// HashHex is the compose hash in hex.
func (a App) HashHex() string { return hex.EncodeToString(a.Hash[:]) }

// Render makes the exact bytes: keys sorted, no white space, UTF-8 unescaped.
func Render(o Options) (App, error) {
	if err := o.validate(); err != nil {
		return App{}, err
	}
	envs := slices.Clone(o.AllowedEnvs)
	slices.Sort(envs)
	doc := Document{
		AllowedEnvs: append([]string{}, slices.Compact(envs)...), DockerComposeFile: string(o.Compose), GatewayEnabled: o.Gateway,
		KMSEnabled: o.KMS, LocalKeyProvider: !o.KMS, ManifestVersion: 2, Name: o.Name, PublicTCBInfo: true,
		Runner: "docker-compose", SecureTime: true,
	}
	if len(o.LaunchToken) > 0 {
		sum := sha256.Sum256(o.LaunchToken)
		doc.ManifestVersion = "3"
		doc.Requirements = &Requirements{LaunchTokenHash: hex.EncodeToString(sum[:])}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return App{}, err
	}
	return FromBytes(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

func (o Options) validate() error {
	if len(o.Name) < 5 || len(o.Name) > 63 {
		return fmt.Errorf("app name %q: 5 to 63 characters wanted (the clouds insist)", o.Name)
	}
	if len(bytes.TrimSpace(o.Compose)) == 0 {
		return errors.New("the compose file is empty")
	}
	for _, name := range o.AllowedEnvs {
		if !validEnv(name) {
			return fmt.Errorf("environment name %q: letters, digits and _ wanted, not beginning with a digit", name)
		}
	}
	return nil
}

// FromBytes takes an app-compose.json as it is.
func FromBytes(b []byte) (App, error) {
	if len(b) > maxFile {
		return App{}, fmt.Errorf("app-compose.json has %d bytes, at most %d are accepted by a dstack guest", len(b), maxFile)
	}
	if !json.Valid(b) {
		return App{}, errors.New("app-compose.json is not JSON")
	}
	return App{Bytes: b, Hash: sha256.Sum256(b)}, nil
}

func validEnv(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
