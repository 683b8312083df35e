// Package cloud deploys a rendered app to a dstack VMM of one's own or to Phala Cloud: one adapter each.
//
// Neither is trusted. The compose hash an API returns is compared with the hash of the bytes that were rendered, the environment is
// sealed on this machine to a key whose KMS signature is checked where the API hands one over, and after the start the quote is what
// counts (teapot verify). Secrets never appear in a request but sealed; DryRun prints the requests instead of sending them.
// Source: facts on dstack, section 9.
package cloud

import (
	"context"
	"io"
	"time"

	"github.com/teapot-tee/teapot/deploy/appcompose"
	"github.com/teapot-tee/teapot/deploy/sealedenv"
)

// Request is one deployment.
type Request struct {
	Name     string
	App      appcompose.App
	Env      []sealedenv.Variable
	KMSRoot  []byte // pinned 33-byte key; nil: the platform's env key cannot be checked and a deployment with secrets is refused
	Image    string // OS image of the guest
	VCPU     int
	MemoryMB int
	DiskGB   int
	Ports    []Port
	Progress func(string) // told what happens, one line each
	Now      time.Time
}

// Port publishes a guest's port on the host.
type Port struct{ Host, Guest int }

// Instance names what was deployed.
type Instance struct {
	ID          string `json:"id"`
	AppID       string `json:"app_id"`
	ComposeHash string `json:"compose_hash"`
	URL         string `json:"url,omitempty"`
}

// Status is the platform's word about an instance: never evidence.
type Status struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Progress string `json:"progress,omitempty"`
	Error    string `json:"error,omitempty"`
	URL      string `json:"url,omitempty"`
}

// Running says whether the instance has started.
func (s Status) Running() bool {
	return s.State == "running" && (s.Progress == "" || s.Progress == "done")
}

// Platform is a place to deploy to.
type Platform interface {
	Deploy(ctx context.Context, r Request) (Instance, error)
	Status(ctx context.Context, id string) (Status, error)
	Logs(ctx context.Context, id string, follow bool, lines int, w io.Writer) error
	Down(ctx context.Context, id string) error
}

func (r Request) say(line string) {
	if r.Progress != nil {
		r.Progress(line)
	}
}
