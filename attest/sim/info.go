package sim

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
)

// VMConfig is what the simulator says about its virtual machine.
const VMConfig = `{"os_image_hash":"","cpu_count":1,"memory_size":2147483648,"simulated":true}`

// Info says what was measured, and that nothing protects it.
func (s *Simulator) Info(context.Context) (attest.Info, error) {
	m := s.machine
	rtmr, _, err := m.snapshot()
	if err != nil {
		return attest.Info{}, err
	}
	measures := m.measures(rtmr)
	aggregated := measures.Aggregated()
	info := attest.Info{
		Version: Version, AppID: hex.EncodeToString(m.appID[:]), InstanceID: hex.EncodeToString(m.instance),
		AppName: m.compose.Name, AppCompose: m.appCompose, ComposeHash: hex.EncodeToString(m.hash[:]),
		DeviceID:     evidence.Sum([]byte("TEAPOT-SIMULATED")).String(),
		MRAggregated: hex.EncodeToString(aggregated[:]), KeyProvider: KeyProvider, VMConfig: VMConfig,
		CloudVendor: "Teapot SIMULATED", CloudProduct: "simulator, not a TEE",
		Simulated: true, SimulatedRoot: s.RootDER(), Measurements: attest.Measurements{MRTD: hex.EncodeToString(measures.MRTD[:])},
		Unmeasured: []evidence.Unmeasured{{Name: "everything", Detail: "the simulator is software: whoever runs it chooses all it measures"}},
	}
	for i, r := range rtmr {
		info.Measurements.RTMR[i] = hex.EncodeToString(r[:])
	}
	if s.options.SGX {
		info.Measurements = attest.Measurements{MRENCLAVE: fmt.Sprintf("%x", m.enclave.MREnclave), MRSIGNER: fmt.Sprintf("%x", m.enclave.MRSigner)}
	}
	return info, nil
}
