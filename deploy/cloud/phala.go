package cloud

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/teapot-tee/teapot/deploy/sealedenv"
)

// Phala is Phala Cloud. Its API is not formally versioned beyond a header, so everything about it stays in this file.
type Phala struct {
	API          API
	InstanceType string // default tdx.small
}

// PhalaAPI is the public address, PhalaVersion the API version this adapter speaks.
const (
	PhalaAPI     = "https://cloud-api.phala.com/api/v1"
	PhalaVersion = "2025-10-28"
)

type phalaProvision struct {
	Name         string          `json:"name"`
	InstanceType string          `json:"instance_type"`
	ComposeFile  json.RawMessage `json:"compose_file"`
	Image        string          `json:"image,omitempty"`
	DiskSize     int             `json:"disk_size,omitempty"`
	KMS          string          `json:"kms"`
	EnvKeys      []string        `json:"env_keys"`
}

type phalaProvisioned struct {
	AppID       string `json:"app_id"`
	EnvKey      string `json:"app_env_encrypt_pubkey"`
	ComposeHash string `json:"compose_hash"`
}

type phalaCreate struct {
	AppID        string   `json:"app_id"`
	ComposeHash  string   `json:"compose_hash"`
	EncryptedEnv string   `json:"encrypted_env"`
	EnvKeys      []string `json:"env_keys"`
}

// Deploy provisions, compares what the cloud will measure with what was rendered, seals the environment and creates the CVM.
func (p Phala) Deploy(ctx context.Context, r Request) (Instance, error) {
	provision := phalaProvision{
		Name: r.Name, InstanceType: p.instanceType(), ComposeFile: r.App.Bytes, Image: r.Image, DiskSize: r.DiskGB, KMS: "PHALA",
		EnvKeys: names(r.Env),
	}
	r.say("provisioning")
	var got phalaProvisioned
	err := p.API.call(ctx, http.MethodPost, "/cvms/provision", provision, &got)
	if err != nil && !errors.Is(err, ErrDryRun) {
		return Instance{}, err
	}
	if err == nil {
		if err := checkProvisioned(got, r); err != nil {
			return Instance{}, err
		}
	}
	create := phalaCreate{AppID: got.AppID, ComposeHash: got.ComposeHash, EnvKeys: names(r.Env)}
	if len(r.Env) > 0 && err == nil {
		r.say("sealing the environment to the KMS's key for this app")
		sealed, err := p.seal(ctx, r, got)
		if err != nil {
			return Instance{}, err
		}
		create.EncryptedEnv = hex.EncodeToString(sealed)
	}
	return p.create(ctx, r, create)
}

func (p Phala) create(ctx context.Context, r Request, create phalaCreate) (Instance, error) {
	r.say("creating the CVM")
	var created struct {
		ID     any    `json:"id"`
		AppID  string `json:"app_id"`
		AppURL string `json:"app_url"`
	}
	if err := p.API.call(ctx, http.MethodPost, "/cvms", create, &created); err != nil {
		return Instance{}, err
	}
	return Instance{ID: fmt.Sprint(created.ID), AppID: create.AppID, ComposeHash: create.ComposeHash, URL: created.AppURL}, nil
}

// checkProvisioned refuses an app id that is not the one the bytes give when the cloud also reports another hash. The cloud writes
// the file anew (other spacing), so its hash may differ from ours: then the caller must verify against the cloud's bytes.
func checkProvisioned(got phalaProvisioned, r Request) error {
	if got.ComposeHash == "" {
		return errors.New("the cloud did not say which compose hash it will measure")
	}
	if got.ComposeHash != r.App.HashHex() {
		return &HashDiffersError{Cloud: got.ComposeHash, Rendered: r.App.HashHex()}
	}
	return nil
}

// HashDiffersError says that the cloud measures other bytes than those rendered.
type HashDiffersError struct{ Cloud, Rendered string }

func (e *HashDiffersError) Error() string {
	return fmt.Sprintf("the cloud will measure compose hash %s, the rendered bytes hash to %s (its dashboard rewrites the file); "+
		"render with the cloud's spacing (--format phala) or pin the cloud's hash after reading its file", e.Cloud, e.Rendered)
}

func (p Phala) seal(ctx context.Context, r Request, got phalaProvisioned) ([]byte, error) {
	var answer vmmPublicKey
	path := "/kms/phala/pubkey/" + url.PathEscape(got.AppID)
	if err := p.API.call(ctx, http.MethodGet, path, nil, &answer); err != nil {
		return nil, err
	}
	if got.EnvKey != "" && got.EnvKey != answer.PublicKey {
		return nil, errors.New("the cloud names two different env keys for this app; nothing was sealed")
	}
	// The app id may be the one of a contract instead of the one the bytes give: the KMS signs for the id in use.
	return sealTo(r, got.AppID, answer)
}

// Status asks for the state of one CVM.
func (p Phala) Status(ctx context.Context, id string) (Status, error) {
	var answer struct {
		Status       string `json:"status"`
		BootProgress string `json:"boot_progress"`
		BootError    string `json:"boot_error"`
		AppURL       string `json:"app_url"`
	}
	if err := p.API.call(ctx, http.MethodGet, "/cvms/"+url.PathEscape(id)+"/state", nil, &answer); err != nil {
		return Status{}, err
	}
	return Status{ID: id, State: answer.Status, Progress: answer.BootProgress, Error: answer.BootError, URL: answer.AppURL}, nil
}

// Logs says where the logs are: the cloud serves them only through its dashboard and the guest's own log page.
func (p Phala) Logs(ctx context.Context, id string, _ bool, _ int, w io.Writer) error {
	status, err := p.Status(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Phala Cloud has no log API; the containers' logs are on the guest's page (if public_logs is measured on): %s\n", status.URL)
	return nil
}

// Down deletes the CVM.
func (p Phala) Down(ctx context.Context, id string) error {
	return p.API.call(ctx, http.MethodDelete, "/cvms/"+url.PathEscape(id), nil, nil)
}

func (p Phala) instanceType() string {
	if p.InstanceType == "" {
		return "tdx.small"
	}
	return p.InstanceType
}

func names(vars []sealedenv.Variable) []string {
	out := []string{}
	for _, v := range vars {
		out = append(out, v.Key)
	}
	return out
}
