package dstack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

// infoAnswer is AppInfo of tappd and v0, and InfoResponse of v1.
type infoAnswer struct {
	AppID           string `json:"app_id"`
	InstanceID      string `json:"instance_id"`
	AppName         string `json:"app_name"`
	TCBInfo         string `json:"tcb_info"`
	AppCompose      string `json:"app_compose"` // v1
	DeviceID        string `json:"device_id"`
	MRAggregated    string `json:"mr_aggregated"`
	OSImageHash     string `json:"os_image_hash"`
	ComposeHash     string `json:"compose_hash"`
	KeyProviderInfo string `json:"key_provider_info"`
	VMConfig        string `json:"vm_config"`
	CloudVendor     string `json:"cloud_vendor"`
	CloudProduct    string `json:"cloud_product"`
	Simulated       bool   `json:"simulated"` // Teapot's simulator says so
}

// tcbInfo is the JSON text inside: 0.3 has rootfs_hash, later ones the hashes.
type tcbInfo struct {
	MRTD         string `json:"mrtd"`
	RTMR0        string `json:"rtmr0"`
	RTMR1        string `json:"rtmr1"`
	RTMR2        string `json:"rtmr2"`
	RTMR3        string `json:"rtmr3"`
	MRAggregated string `json:"mr_aggregated"`
	OSImageHash  string `json:"os_image_hash"`
	ComposeHash  string `json:"compose_hash"`
	DeviceID     string `json:"device_id"`
	AppCompose   string `json:"app_compose"`
}

// Info is what the agent says. Below 0.3.4 it comes from the event log and the app-compose file that Options supplied.
func (c *Client) Info(ctx context.Context) (attest.Info, error) {
	if !c.offer.info {
		return c.infoFromLog(ctx)
	}
	path := "/prpc/Tappd.Info"
	switch {
	case c.offer.v0:
		path = "/Info"
	case c.offer.v1:
		path = "/v1/Info"
	}
	var a infoAnswer
	if err := c.http.call(ctx, path, struct{}{}, &a, true); err != nil {
		return attest.Info{}, err
	}
	if a.AppID == "" {
		return attest.Info{}, fmt.Errorf("guest agent: %s is empty: agents answer so when they cannot get or read their own quote; look at the agent's log", path)
	}
	return a.info(c.offer.version)
}

func (a infoAnswer) info(version string) (attest.Info, error) {
	info := attest.Info{
		Version: version, AppID: a.AppID, InstanceID: a.InstanceID, AppName: a.AppName, AppCompose: []byte(a.AppCompose),
		ComposeHash: a.ComposeHash, OSImageHash: a.OSImageHash, DeviceID: a.DeviceID, MRAggregated: a.MRAggregated,
		KeyProvider: a.KeyProviderInfo, VMConfig: a.VMConfig, CloudVendor: a.CloudVendor, CloudProduct: a.CloudProduct,
		Unmeasured: unmeasured(), Simulated: a.Simulated,
	}
	if a.TCBInfo == "" {
		return info, nil
	}
	var tcb tcbInfo
	if err := json.Unmarshal([]byte(a.TCBInfo), &tcb); err != nil {
		return info, fmt.Errorf("guest agent: reading tcb_info: %w", err)
	}
	info.Measurements = attest.Measurements{MRTD: tcb.MRTD, RTMR: [4]string{tcb.RTMR0, tcb.RTMR1, tcb.RTMR2, tcb.RTMR3}}
	if len(info.AppCompose) == 0 {
		info.AppCompose = []byte(tcb.AppCompose)
	}
	if info.ComposeHash == "" && len(info.AppCompose) > 0 { // 0.3 does not tell
		sum := sha256.Sum256(info.AppCompose)
		info.ComposeHash = hex.EncodeToString(sum[:])
	}
	for _, f := range []struct{ into, from *string }{
		{&info.MRAggregated, &tcb.MRAggregated}, {&info.OSImageHash, &tcb.OSImageHash}, {&info.DeviceID, &tcb.DeviceID},
	} {
		if *f.into == "" {
			*f.into = *f.from
		}
	}
	return info, nil
}

// unmeasured lists what the host hands to a dstack guest without any register covering it (dstack issues 615 and 618).
func unmeasured() []evidence.Unmeasured {
	return []evidence.Unmeasured{
		{Name: "sys-config", Detail: "URLs of KMS, gateway and PCCS, docker registry and VM configuration come from the host"},
		{Name: "encrypted environment", Detail: "values of the allowed variables come from the deployer; only their names are measured"},
	}
}

// infoFromLog is for tappd 0.3.1 to 0.3.3.
func (c *Client) infoFromLog(ctx context.Context) (attest.Info, error) {
	if len(c.appCompose) == 0 {
		return attest.Info{}, errors.New("this tappd (below 0.3.4) does not tell its app-compose file: supply the exact file that was deployed")
	}
	q, err := c.Quote(ctx, [64]byte{})
	if err != nil {
		return attest.Info{}, err
	}
	events, err := eventlog.Parse(q.EventLog)
	if err != nil {
		return attest.Info{}, fmt.Errorf("guest agent: %w", err)
	}
	hash := sha256.Sum256(c.appCompose)
	info := attest.Info{AppCompose: c.appCompose, ComposeHash: hex.EncodeToString(hash[:]), Unmeasured: unmeasured()}
	matched := false
	for _, e := range events {
		switch e.Name {
		case "app-id":
			info.AppID = hex.EncodeToString(e.Payload)
		case "instance-id":
			info.InstanceID = hex.EncodeToString(e.Payload)
		case "compose-hash":
			matched = matched || hex.EncodeToString(e.Payload) == info.ComposeHash
		case "upgraded-app-id":
			matched = matched || hex.EncodeToString(e.Payload) == info.ComposeHash[:40]
		}
	}
	if !matched {
		return attest.Info{}, fmt.Errorf("the supplied app-compose file has SHA-256 %s, the guest's event log says otherwise: it is not the file that was deployed", info.ComposeHash)
	}
	return info, nil
}

// custody remembers who could derive the keys; it is asked for once.
type custody struct {
	once  sync.Once
	value evidence.Custody
}

// Custody comes from the key provider that the agent names. It asks the agent once; no answer counts as the operator.
func (c *Client) Custody() evidence.Custody {
	c.custody.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.http.client.Timeout)
		defer cancel()
		c.custody.value = evidence.Operator
		if info, err := c.Info(ctx); err == nil {
			c.custody.value = custodyOf(info)
		}
	})
	return c.custody.value
}

// custodyOf: an app id that is its compose hash gets other keys with other code, so nobody can upgrade it; every other app id is in
// the hands of its contract or owner.
func custodyOf(info attest.Info) evidence.Custody {
	var provider struct{ Name, ID string }
	if json.Unmarshal([]byte(info.KeyProvider), &provider) != nil || info.Simulated {
		return evidence.Operator
	}
	switch provider.Name {
	case "kms":
		upgrade := "owner of the app id"
		if len(info.ComposeHash) == 64 && info.AppID == info.ComposeHash[:40] {
			upgrade = "nobody"
		}
		return evidence.KMS(provider.ID, info.AppID, upgrade)
	case "local-sgx", "local":
		return evidence.LocalProvider
	}
	return evidence.Operator
}
