package eventlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/internal/strictjson"
)

// maxAppCompose is dstack's own limit on app-compose.json.
const maxAppCompose = 256 << 10

// AppCompose is what dstack measures an application by: the members of app-compose.json that Teapot knows. Names are
// matched exactly, as the guest does.
type AppCompose struct {
	ManifestVersion string // "2" or "3"
	Name            string
	Runner          string
	DockerCompose   string // YAML text
	BashScript      string
	InitScript      string
	PreLaunchScript string

	KMSEnabled, GatewayEnabled, TproxyEnabled, LocalKeyProviderEnabled bool
	KeyProvider, KeyProviderID                                         string

	AllowedEnvs                            []string
	NoInstanceID, SecureTime               bool
	PublicLogs, PublicSysinfo, PublicTCB   bool
	StorageFS, Snapshotter                 string
	EventLogVersion                        int
	Features                               []string
	DockerConfig, PortPolicy, Requirements json.RawMessage
	SwapSize, VerityVolumes                json.RawMessage

	Unknown []string // members Teapot does not know, sorted
}

// ParseAppCompose reads app-compose.json. Unknown members are kept by name: the guest hashes them too, and the compose
// check refuses them.
func ParseAppCompose(raw []byte) (*AppCompose, error) {
	if len(raw) > maxAppCompose {
		return nil, fmt.Errorf("reading app-compose: %d bytes, more than %d", len(raw), maxAppCompose)
	}
	if err := strictjson.Check(raw); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("reading app-compose: the JSON breaks off after %d bytes: the file is empty or was cut", len(raw))
	} else if err != nil {
		return nil, fmt.Errorf("reading app-compose: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, fmt.Errorf("reading app-compose: %w", err)
	}
	c := &AppCompose{PublicTCB: true, SecureTime: true, EventLogVersion: 1} // the guest's defaults
	known := c.members()
	for name, value := range members {
		dst, ok := known[name]
		if !ok {
			c.Unknown = append(c.Unknown, name)
			continue
		}
		if err := json.Unmarshal(value, dst); err != nil {
			return nil, fmt.Errorf("reading app-compose: %s: %w", name, err)
		}
	}
	slices.Sort(c.Unknown)
	return c, c.setVersion(members["manifest_version"])
}

// members maps the names to where they go (dstack app-compose, fields up to 0.6).
func (c *AppCompose) members() map[string]any {
	return map[string]any{
		"manifest_version": new(json.RawMessage), "name": &c.Name, "runner": &c.Runner, "docker_compose_file": &c.DockerCompose,
		"bash_script": &c.BashScript, "init_script": &c.InitScript, "pre_launch_script": &c.PreLaunchScript,
		"docker_config": &c.DockerConfig, "features": &c.Features,
		"kms_enabled": &c.KMSEnabled, "gateway_enabled": &c.GatewayEnabled, "tproxy_enabled": &c.TproxyEnabled,
		"local_key_provider_enabled": &c.LocalKeyProviderEnabled, "key_provider": &c.KeyProvider, "key_provider_id": &c.KeyProviderID,
		"public_logs": &c.PublicLogs, "public_sysinfo": &c.PublicSysinfo, "public_tcbinfo": &c.PublicTCB,
		"allowed_envs": &c.AllowedEnvs, "no_instance_id": &c.NoInstanceID, "secure_time": &c.SecureTime,
		"storage_fs": &c.StorageFS, "swap_size": &c.SwapSize, "port_policy": &c.PortPolicy, "event_log_version": &c.EventLogVersion,
		"requirements": &c.Requirements, "verity_volumes": &c.VerityVolumes, "snapshotter": &c.Snapshotter,
	}
}

// setVersion takes the number 2 and the string "3", which is how dstack writes them.
func (c *AppCompose) setVersion(raw json.RawMessage) error {
	switch v := strings.Trim(string(raw), `"`); v {
	case "1", "2", "3":
		c.ManifestVersion = v
		return nil
	case "":
		return fmt.Errorf("reading app-compose: manifest_version is missing")
	default:
		return fmt.Errorf("reading app-compose: unknown manifest_version %.20s", raw)
	}
}
