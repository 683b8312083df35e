package guestapi

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/teapot-tee/teapot/attest"
)

// identity is what does not change while the guest runs. The first good answer is kept: on a real platform each question is a call
// to the guest agent.
type identity struct {
	appID    []byte
	vmConfig string
}

func (s *Server) identity(ctx context.Context) (identity, error) {
	if known := s.known.Load(); known != nil {
		return *known, nil
	}
	info, err := s.Attester.Info(ctx)
	if err != nil {
		return identity{}, fmt.Errorf("asking the platform who this is: %w", err)
	}
	appID, err := hex.DecodeString(info.AppID)
	if err != nil {
		return identity{}, fmt.Errorf("the platform's app id: %w", err)
	}
	found := identity{appID: appID, vmConfig: info.VMConfig}
	s.known.Store(&found)
	return found, nil
}

// info is AppInfo with the registers and log of this moment: they come out of a quote over 64 zero bytes.
func (s *Server) info(ctx context.Context, _ *empty) (any, error) {
	info, err := s.Attester.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the platform who this is: %w", err)
	}
	q, err := s.quote(ctx, [64]byte{})
	if err != nil {
		return nil, err
	}
	out, err := s.appInfo(info)
	if err != nil {
		return nil, err
	}
	out.TCBInfo, err = tcbText(info, q)
	return out, err
}

// workerInfo is what strangers may see: without measurements if the app-compose says public_tcbinfo false.
func (s *Server) workerInfo(ctx context.Context, q *empty) (any, error) {
	answer, err := s.info(ctx, q)
	if err != nil {
		return nil, err
	}
	info, err := s.Attester.Info(ctx)
	if out, ok := answer.(*appInfo); ok && !publicTCBInfo(info.AppCompose) {
		out.TCBInfo, out.VMConfig = "", ""
	}
	return answer, err
}

// publicTCBInfo is true unless the app-compose says otherwise, as upstream.
func publicTCBInfo(appCompose []byte) bool {
	settings := struct {
		Public *bool `json:"public_tcbinfo"`
	}{}
	err := json.Unmarshal(appCompose, &settings)
	return err != nil && len(appCompose) == 0 || err == nil && (settings.Public == nil || *settings.Public)
}

func (s *Server) appInfo(info attest.Info) (*appInfo, error) {
	out := &appInfo{
		AppName: info.AppName, KeyProviderInfo: info.KeyProvider, VMConfig: info.VMConfig,
		CloudVendor: info.CloudVendor, CloudProduct: info.CloudProduct, Simulated: info.Simulated || s.Simulated,
	}
	return out, decodeHex(
		hexField{"app id", info.AppID, &out.AppID},
		hexField{"instance id", info.InstanceID, &out.InstanceID},
		hexField{"device id", info.DeviceID, &out.DeviceID},
		hexField{"mr_aggregated", info.MRAggregated, &out.MRAggregated},
		hexField{"OS image hash", info.OSImageHash, &out.OSImageHash},
		hexField{"compose hash", info.ComposeHash, &out.ComposeHash})
}

type hexField struct {
	name, text string
	into       *Hex
}

func decodeHex(fields ...hexField) error {
	for _, f := range fields {
		raw, err := hex.DecodeString(f.text)
		if err != nil {
			return fmt.Errorf("the platform's %s: %w", f.name, err)
		}
		*f.into = raw
	}
	return nil
}

// tcbText is the pretty JSON text in tcb_info. Registers come from the quote where it is a TDX quote.
func tcbText(info attest.Info, q attest.Quote) (string, error) {
	m := info.Measurements
	registers(q.Raw, &m)
	text, err := json.MarshalIndent(tcbInfo{
		MRTD: m.MRTD, RTMR0: m.RTMR[0], RTMR1: m.RTMR[1], RTMR2: m.RTMR[2], RTMR3: m.RTMR[3],
		MRAggregated: info.MRAggregated, OSImageHash: info.OSImageHash, ComposeHash: info.ComposeHash, DeviceID: info.DeviceID,
		EventLog: json.RawMessage(logText(q)), AppCompose: string(info.AppCompose),
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("writing tcb_info: %w", err)
	}
	return string(text), nil
}

// registers reads MRTD and RTMR0..3 of a TDX quote, version 4 (48-byte header, then the TD report: Intel TDX DCAP quoting library
// API, A.3.2). They are shown, not judged.
func registers(quote []byte, m *attest.Measurements) {
	const mrtd, rtmr0, size = 48 + 136, 48 + 328, 48
	if len(quote) < rtmr0+4*size || quote[0] != 4 || quote[4] != 0x81 {
		return
	}
	m.MRTD = hex.EncodeToString(quote[mrtd : mrtd+size])
	for i := range m.RTMR {
		m.RTMR[i] = hex.EncodeToString(quote[rtmr0+i*size : rtmr0+(i+1)*size])
	}
}

// packedAppInfo is certificate extension .9: a MessagePack array of byte strings.
func (s *Server) packedAppInfo(ctx context.Context) ([]byte, error) {
	info, err := s.Attester.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the platform who this is: %w", err)
	}
	out, err := s.appInfo(info)
	if err != nil {
		return nil, err
	}
	fields := [][]byte{
		out.AppID, out.ComposeHash, out.InstanceID, out.DeviceID, nil, out.MRAggregated, out.OSImageHash, []byte(info.KeyProvider),
	}
	packed := packArray(nil, len(fields))
	for _, f := range fields {
		packed = packBytes(packed, f)
	}
	return packed, nil
}

// infoV1 has no measurements: v1 callers take them from Attest.
func (s *Server) infoV1(ctx context.Context, _ *empty) (any, error) {
	info, err := s.Attester.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the platform who this is: %w", err)
	}
	old, err := s.appInfo(info)
	if err != nil {
		return nil, err
	}
	return &appInfoV1{
		AppID: old.AppID, AppName: old.AppName, ComposeHash: old.ComposeHash, AppCompose: string(info.AppCompose),
		InstanceID: old.InstanceID, DeviceID: old.DeviceID, OSImageHash: old.OSImageHash, MRAggregated: old.MRAggregated,
		VMConfig: old.VMConfig, KeyProviderInfo: old.KeyProviderInfo,
		CloudVendor: old.CloudVendor, CloudProduct: old.CloudProduct, Simulated: old.Simulated,
	}, nil
}

// workerInfoV1 is /prpc/v1/Info: the documents stay inside if the app-compose says so.
func (s *Server) workerInfoV1(ctx context.Context, q *empty) (any, error) {
	answer, err := s.infoV1(ctx, q)
	if out, ok := answer.(*appInfoV1); ok && !publicTCBInfo([]byte(out.AppCompose)) {
		out.AppCompose, out.VMConfig, out.KeyProviderInfo = "", "", ""
	}
	return answer, err
}

func (s *Server) version(context.Context, *empty) (any, error) {
	return &versionReply{Version: s.Version, Rev: s.Rev}, nil
}

func (s *Server) health(context.Context, *empty) (any, error) {
	return &healthReply{Healthy: true, Unhealthy: []containerHealth{}}, nil
}
