package dcap_test

import (
	"slices"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// convergence is Intel's table, row by row: platform, component, result.
var convergence = [][3]string{
	{"UpToDate", "UpToDate", "UpToDate"},
	{"UpToDate", "OutOfDate", "OutOfDate"},
	{"SWHardeningNeeded", "UpToDate", "SWHardeningNeeded"},
	{"SWHardeningNeeded", "OutOfDate", "OutOfDate"},
	{"ConfigurationNeeded", "UpToDate", "ConfigurationNeeded"},
	{"ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"},
	{"ConfigurationAndSWHardeningNeeded", "UpToDate", "ConfigurationAndSWHardeningNeeded"},
	{"ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"},
	{"OutOfDate", "UpToDate", "OutOfDate"},
	{"OutOfDate", "OutOfDate", "OutOfDate"},
	{"OutOfDateConfigurationNeeded", "UpToDate", "OutOfDateConfigurationNeeded"},
	{"OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"},
	{"Revoked", "UpToDate", "Revoked"},
	{"Revoked", "OutOfDate", "Revoked"},
	{"UpToDate", "Revoked", "Revoked"},
	{"OutOfDateConfigurationNeeded", "Revoked", "Revoked"},
}

// relaunches are launch platform status, current platform status, result. The launch status comes from an old TDX
// component level, the current one from the best.
var relaunches = [][3]string{
	{"OutOfDate", "UpToDate", "TDRelaunchAdvised"},
	{"OutOfDate", "SWHardeningNeeded", "TDRelaunchAdvised"},
	{"OutOfDate", "ConfigurationNeeded", "TDRelaunchAdvisedConfigurationNeeded"},
	{"OutOfDate", "ConfigurationAndSWHardeningNeeded", "TDRelaunchAdvisedConfigurationNeeded"},
	{"OutOfDateConfigurationNeeded", "UpToDate", "TDRelaunchAdvisedConfigurationNeeded"},
	{"OutOfDate", "OutOfDate", "OutOfDate"},
	{"OutOfDate", "OutOfDateConfigurationNeeded", "OutOfDate"},
	{"SWHardeningNeeded", "UpToDate", "SWHardeningNeeded"},
	{"ConfigurationNeeded", "UpToDate", "ConfigurationNeeded"},
	{"UpToDate", "OutOfDate", "UpToDate"},
	{"Revoked", "UpToDate", "Revoked"},
	{"OutOfDate", "Revoked", "Revoked"}, // Intel says OutOfDate here
}

func tcbFaults() []oneFault {
	out := slices.Clone(levelFaults)
	for _, c := range convergence {
		out = append(out,
			oneFault{"SGX " + c[0] + " QE " + c[1], sgx, c[2], func(w *world) { w.info.Levels[0].Status, w.identity.Levels[0].Status = c[0], c[1] }},
			oneFault{"TDX " + c[0] + " QE " + c[1], tdx, c[2], func(w *world) { w.info.Levels[0].Status, w.identity.Levels[0].Status = c[0], c[1] }},
			oneFault{"TDX " + c[0] + " module " + c[1], tdx, c[2], func(w *world) { w.info.Levels[0].Status, w.info.ModuleIdentities[0].Levels[0].Status = c[0], c[1] }},
		)
	}
	for _, c := range relaunches {
		out = append(out, oneFault{"launch " + c[0] + " current " + c[1], tdx, c[2], func(w *world) {
			w.td15()
			w.td.TEETCBSVN[2] = 4
			w.info.Levels[0].Status = c[1]
			old := w.info.Levels[0]
			old.TDX[2], old.Status = 4, c[0]
			w.info.Levels = append(w.info.Levels, old)
		}})
	}
	return out
}

// td15 makes the quote one of a TD report 1.5.
func (w *world) td15() { w.spec.Version, w.spec.BodyType = 5, dcap.BodyTD15 }

var levelFaults = []oneFault{
	{"a component short", sgx, "OutOfDate", func(w *world) { w.platform(func(p *pki.Platform) { p.Components[7] = 4 }) }},
	{"the last component short", sgx, "OutOfDate", func(w *world) { w.info.Levels[0].SGX[15] = 1 }},
	{"PCE SVN short", sgx, "OutOfDate", func(w *world) { w.platform(func(p *pki.Platform) { p.PCESVN = 12 }) }},
	{"CPUSVN low, components good", sgx, "UpToDate", func(w *world) { w.platform(func(p *pki.Platform) { p.CPUSVN = [16]byte{} }) }},
	{"components low, CPUSVN good", sgx, "OutOfDate", func(w *world) { w.platform(func(p *pki.Platform) { p.Components[0] = 2 }) }},
	{"component 255", sgx, "UpToDate", func(w *world) { w.platform(func(p *pki.Platform) { p.Components[0] = 255 }) }},
	{"below every level", sgx, "tcb_not_supported", func(w *world) { w.platform(func(p *pki.Platform) { p.Components = [16]byte{1} }) }},
	{"levels in any order", sgx, "UpToDate", func(w *world) { slices.Reverse(w.info.Levels) }},
	{"a better level further down", sgx, "SWHardeningNeeded", func(w *world) {
		l := w.info.Levels[0]
		l.SGX[15], l.Status = 0, "SWHardeningNeeded"
		w.info.Levels[0].SGX[0] = 2
		w.info.Levels[0].Status = "ConfigurationNeeded"
		w.info.Levels = append(w.info.Levels, l)
	}},
	{"QE levels in any order", sgx, "UpToDate", func(w *world) { slices.Reverse(w.identity.Levels) }},
	{"QE between levels", sgx, "OutOfDate", func(w *world) { w.qe.SVN-- }},
	{"QE below every level", sgx, "tcb_not_supported", func(w *world) { w.qe.SVN = 1 }},
	{"QE levels of one SVN: the newer counts", sgx, "OutOfDate", func(w *world) {
		newer := w.identity.Levels[0]
		newer.Date, newer.Status = newer.Date.AddDate(0, 1, 0), "OutOfDate"
		w.identity.Levels = append(w.identity.Levels, newer)
	}},
	{"module levels of one SVN", tdx, "tcbinfo_format", func(w *world) {
		newer := w.info.ModuleIdentities[0].Levels[0]
		newer.Date = newer.Date.AddDate(0, 1, 0)
		w.info.ModuleIdentities[0].Levels = append(w.info.ModuleIdentities[0].Levels, newer)
	}},
	{"QE above every level", sgx, "UpToDate", func(w *world) { w.qe.SVN = 65535 }},
	{"data numbers differ", sgx, "UpToDate", func(w *world) { w.identity.Evaluation = 17 }},

	{"TDX component short", tdx, "OutOfDate", func(w *world) { w.td.TEETCBSVN[2] = 4 }},
	{"TDX components 0 and 1 are the module's", tdx, "UpToDate", func(w *world) { w.info.Levels[0].TDX[0], w.info.Levels[0].TDX[1] = 200, 200 }},
	{"TDX component 0 counts without a module version", tdx, "OutOfDate", func(w *world) { w.td.TEETCBSVN = [16]byte{4, 0, 5} }},
	{"TDX without a module version", tdx, "UpToDate", func(w *world) { w.td.TEETCBSVN = [16]byte{5, 0, 5} }},
	{"TDX below every level", tdx, "tcb_not_supported", func(w *world) { w.td.TEETCBSVN[2] = 3 }},
	{"TDX levels in any order", tdx, "UpToDate", func(w *world) { slices.Reverse(w.info.Levels) }},
	{"module old", tdx, "OutOfDate", func(w *world) { w.td.TEETCBSVN[0] = 4 }},
	{"module below every level", tdx, "tcb_not_supported", func(w *world) { w.td.TEETCBSVN[0] = 1 }},
	{"module levels in any order", tdx, "UpToDate", func(w *world) { slices.Reverse(w.info.ModuleIdentities[0].Levels) }},
	{"module without identity", tdx, "tdx_module_mismatch", func(w *world) { w.td.TEETCBSVN[1] = 2 }},
	{"no identities at all", tdx, "tdx_module_mismatch", func(w *world) { w.info.ModuleIdentities = nil }},
	{"module id is hexadecimal", tdx, "UpToDate", func(w *world) { w.td.TEETCBSVN[1], w.info.ModuleIdentities[0].ID = 10, "TDX_0A" }},
	{"module id in small letters", tdx, "UpToDate", func(w *world) { w.td.TEETCBSVN[1], w.info.ModuleIdentities[0].ID = 10, "TDX_0a" }},
	{"module id is not decimal", tdx, "tdx_module_mismatch", func(w *world) { w.td.TEETCBSVN[1], w.info.ModuleIdentities[0].ID = 10, "TDX_10" }},
	{"module signer", tdx, "tdx_module_mismatch", func(w *world) { w.td.MRSignerSeam[0] = 1 }},
	{"module signer of tdxModule", tdx, "tdx_module_mismatch", func(w *world) { w.td.TEETCBSVN[1] = 0; w.info.Module.MRSigner[0] = 1 }},
	{"SEAM attributes", tdx, "tdx_module_mismatch", func(w *world) { w.td.SeamAttributes[0] = 1 }},
	{"SEAM attributes that the identity wants", tdx, "tdx_module_mismatch", func(w *world) {
		w.td.SeamAttributes[0], w.info.ModuleIdentities[0].Attributes[0] = 1, 1
	}},
	{"module status of another kind", tdx, "tcb_unrecognized", func(w *world) { w.info.ModuleIdentities[0].Levels[0].Status = "SWHardeningNeeded" }},
	{"module status of another kind, not reached", tdx, "UpToDate", func(w *world) { w.info.ModuleIdentities[0].Levels[1].Status = "SWHardeningNeeded" }},

	{"TD 1.5", tdx, "UpToDate", func(w *world) { w.td15() }},
	{"TD 1.5, current module unknown", tdx, "tcb_not_supported", func(w *world) { w.td15(); w.td.TEETCBSVN2[1] = 9 }},
	{"TD 1.5, current level unknown", tdx, "tcb_not_supported", func(w *world) { w.td15(); w.td.TEETCBSVN2[2] = 1 }},
	{"TD 1.5, module updated since launch", tdx, "TDRelaunchAdvised", func(w *world) { w.td15(); w.td.TEETCBSVN[0] = 4 }},
	{"TD 1.5, module updated but QE old", tdx, "OutOfDate", func(w *world) { w.td15(); w.td.TEETCBSVN[0] = 4; w.qe.SVN -= 2 }},
}
