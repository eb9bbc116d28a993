package workflow

import (
	"fmt"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/workflow/machine"
)

// effect says what an action does, with its settings.
func (d *dryRun) effect(a machine.Action) string {
	switch s := a.Settings; a.Kind {
	case machine.Process:
		if !d.processes {
			return "Is skipped, because this server has no media processor."
		}
		return "Processes the item's media."
	case machine.Edit:
		return "Waits until a user has edited the item and completes the action." + waiting(s)
	case machine.Approve:
		return "Waits until a user approves or rejects the item. A rejection fails the workflow." + waiting(s)
	case machine.Publish:
		return fmt.Sprintf("Makes the item %s.", optional.Or(s.Privacy, string(item.PrivacyPublic)))
	case machine.Archive:
		return fmt.Sprintf("Makes the item private, and adds the tags %s.", strings.Join(s.Tags, ", "))
	}
	return ""
}

// waiting says what happens while an action waits for a person.
func waiting(s machine.Settings) string {
	text := ""
	if s.RemindAfter != nil {
		text += fmt.Sprintf(" Sends a reminder after %s.", period(*s.RemindAfter))
	}
	if s.Deadline == nil {
		return text
	}
	return text + fmt.Sprintf(" After %s, %s.", period(*s.Deadline), afterDeadline(s))
}

func afterDeadline(s machine.Settings) string {
	if optional.Or(s.OnDeadline, machine.Fail) == machine.Skip {
		return "the action is skipped"
	}
	return "the action and the workflow fail"
}

// period returns seconds in words, in the largest unit that fits: "1 day", "90 minutes".
func period(seconds int) string {
	for _, unit := range []struct {
		seconds   int
		one, many string
	}{{24 * 60 * 60, "day", "days"}, {60 * 60, "hour", "hours"}, {60, "minute", "minutes"}} {
		if seconds%unit.seconds == 0 {
			return count(int64(seconds/unit.seconds), unit.one, unit.many)
		}
	}
	return count(int64(seconds), "second", "seconds")
}

// count returns "1 day" or "2 days".
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
