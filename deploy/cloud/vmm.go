package cloud

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/teapot-tee/teapot/deploy/sealedenv"
)

// VMM is a dstack VMM on one's own machine.
type VMM struct{ API API }

type vmmPort struct {
	Protocol    string `json:"protocol"`
	HostAddress string `json:"host_address"`
	HostPort    int    `json:"host_port"`
	VMPort      int    `json:"vm_port"`
}

type vmmConfiguration struct {
	Name         string    `json:"name"`
	Image        string    `json:"image"`
	ComposeFile  string    `json:"compose_file"`
	VCPU         int       `json:"vcpu"`
	Memory       int       `json:"memory"`
	DiskSize     int       `json:"disk_size"`
	Ports        []vmmPort `json:"ports"`
	EncryptedEnv string    `json:"encrypted_env"`
	AppID        string    `json:"app_id,omitempty"`
}

type vmmPublicKey struct {
	PublicKey   string `json:"public_key"`
	Timestamp   uint64 `json:"timestamp"`
	SignatureV1 string `json:"signature_v1"`
}

type vmmInfo struct {
	ID           string `json:"id"`
	Status       string `json:"status"`
	BootProgress string `json:"boot_progress"`
	BootError    string `json:"boot_error"`
	AppURL       string `json:"app_url"`
}

// Deploy checks the VMM's idea of the compose hash, seals the environment and creates the VM.
func (v VMM) Deploy(ctx context.Context, r Request) (Instance, error) {
	config := vmmConfiguration{
		Name: r.Name, Image: r.Image, ComposeFile: string(r.App.Bytes), VCPU: r.VCPU, Memory: r.MemoryMB, DiskSize: r.DiskGB,
		Ports: []vmmPort{},
	}
	for _, p := range r.Ports {
		config.Ports = append(config.Ports, vmmPort{"tcp", "127.0.0.1", p.Host, p.Guest})
	}
	if err := v.checkHash(ctx, r, config); err != nil && !errors.Is(err, ErrDryRun) {
		return Instance{}, err
	}
	if len(r.Env) > 0 {
		sealed, err := v.seal(ctx, r)
		if err != nil && !errors.Is(err, ErrDryRun) {
			return Instance{}, err
		}
		config.EncryptedEnv, config.AppID = hex.EncodeToString(sealed), r.App.ID()
	}
	r.say("creating the VM")
	var created struct {
		ID string `json:"id"`
	}
	if err := v.API.call(ctx, http.MethodPost, "/prpc/CreateVm?json", config, &created); err != nil {
		return Instance{}, err
	}
	return Instance{ID: created.ID, AppID: r.App.ID(), ComposeHash: r.App.HashHex()}, nil
}

func (v VMM) checkHash(ctx context.Context, r Request, config vmmConfiguration) error {
	r.say("comparing the compose hash")
	var answer struct {
		Hash string `json:"hash"`
	}
	if err := v.API.call(ctx, http.MethodPost, "/prpc/GetComposeHash?json", config, &answer); err != nil {
		return err
	}
	return compareHash(answer.Hash, r)
}

func compareHash(got string, r Request) error {
	if got != r.App.HashHex() {
		return fmt.Errorf("the platform hashes the app to %s, its exact bytes hash to %s: it would run something else; nothing was started", got, r.App.HashHex())
	}
	return nil
}

func (v VMM) seal(ctx context.Context, r Request) ([]byte, error) {
	r.say("sealing the environment to the KMS's key for this app")
	var answer vmmPublicKey
	err := v.API.call(ctx, http.MethodPost, "/prpc/GetAppEnvEncryptPubKey?json", map[string]string{"app_id": r.App.ID()}, &answer)
	if err != nil {
		return nil, err
	}
	return sealTo(r, r.App.ID(), answer)
}

// sealTo checks the key's signature against the pinned KMS root and seals; without a pinned root nothing is sealed.
func sealTo(r Request, appID string, answer vmmPublicKey) ([]byte, error) {
	raw, err := hex.DecodeString(answer.PublicKey)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("the platform's env key %q is not 32 bytes of hex", clip(answer.PublicKey))
	}
	signature, err := hex.DecodeString(answer.SignatureV1)
	if err != nil {
		return nil, errors.New("the signature over the env key is not hex")
	}
	if r.KMSRoot == nil {
		return nil, errors.New("no KMS root key is pinned, so nobody can tell whose key the secrets would be sealed to; pass --kms-root HEX")
	}
	key := sealedenv.PublicKey{Key: [32]byte(raw), SignatureV1: signature, Timestamp: answer.Timestamp}
	if err := key.Check(r.KMSRoot, appID, r.Now); err != nil {
		return nil, err
	}
	return sealedenv.Seal(key.Key, r.Env)
}

// Status asks for one VM.
func (v VMM) Status(ctx context.Context, id string) (Status, error) {
	var answer struct {
		Found bool    `json:"found"`
		Info  vmmInfo `json:"info"`
	}
	if err := v.API.call(ctx, http.MethodPost, "/prpc/GetInfo?json", map[string]string{"id": id}, &answer); err != nil {
		return Status{}, err
	}
	if !answer.Found {
		return Status{}, fmt.Errorf("the VMM knows no VM %q", id)
	}
	i := answer.Info
	return Status{ID: i.ID, State: i.Status, Progress: i.BootProgress, Error: i.BootError, URL: i.AppURL}, nil
}

// Logs copies the VM's console to w.
func (v VMM) Logs(ctx context.Context, id string, follow bool, lines int, w io.Writer) error {
	query := url.Values{"id": {id}, "follow": {strconv.FormatBool(follow)}, "ansi": {"false"}, "lines": {strconv.Itoa(lines)}, "ch": {"stdout"}}
	return v.API.stream(ctx, "/logs?"+query.Encode(), w)
}

// Down stops and removes the VM.
func (v VMM) Down(ctx context.Context, id string) error {
	arg := map[string]string{"id": id}
	if err := v.API.call(ctx, http.MethodPost, "/prpc/StopVm?json", arg, nil); err != nil && !errors.Is(err, ErrDryRun) {
		return err
	}
	return v.API.call(ctx, http.MethodPost, "/prpc/RemoveVm?json", arg, nil)
}

// stream copies a plain text answer as it arrives.
func (a API) stream(ctx context.Context, path string, w io.Writer) error {
	if a.DryRun != nil {
		return a.print(http.MethodGet, path, nil)
	}
	resp, err := a.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return &refusal{http.MethodGet, path, resp.StatusCode, ""}
	}
	_, err = io.Copy(w, resp.Body)
	return err
}
