package main

import (
	"github.com/spf13/cobra"
)

func newDeployCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "deploy",
		Short: "Render, start, watch and stop a deployment on dstack, Phala Cloud or SGX",
		Long: `Render makes the exact bytes that the hardware measures and the policy that readers check them with.
Up sends them to a dstack VMM of your own (--vmm) or to Phala Cloud (--phala), with secrets sealed on this machine.
Neither platform is believed: compare with "teapot verify --policy" after the start.`,
	}, newDeployRenderCmd(), newDeployUpCmd(), newDeployStatusCmd(), newDeployLogsCmd(), newDeployDownCmd(), newDeployGramineCmd())
}
