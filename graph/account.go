package graph

import (
	"maps"

	"itemcast/internal/account"
)

// accountPatch reads an update of the account as the merge patch that REST clients send.
func accountPatch(input map[string]any) (account.SettingsPatch, error) {
	patch := maps.Clone(input)
	if quotas, ok := input["quotas"].(map[string]any); ok {
		nested, err := nestedPatch(quotas)
		if err != nil {
			return account.SettingsPatch{}, err
		}
		patch["quotas"] = nested
	}
	return readPatch[account.SettingsPatch](patch)
}
