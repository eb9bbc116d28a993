package web

import (
	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// runView is the last workflow run of an item, with what the user may do.
type runView struct {
	Action      string // address of the forms
	Status      *badge // nil: the item has never had a run
	Explanation string // why it has not ended
	Error       string
	Started     moment
	Who         *string
	Steps       []stepView
	Tasks       []badgedLink
	Waiting     string // key of the action that waits for a person; "" for none
	Verbs       []option
	MayCancel   bool
	Profiles    []option // to start a run; empty while one is under way
	From        []option // the actions to begin at
}

// stepView is an action of a run.
type stepView struct {
	Name     string
	Kind     string
	Status   badge
	Progress int // percent; 0 for a step that shows none
	Who      *string
	At       *moment
	Comment  string
	Error    string
}

// badgedLink is a thing with its state.
type badgedLink struct {
	Text, Href string
	Badge      badge
}

// run returns the item's run; nil if there is none and the user may start none.
func (c *call) run(i *item.Item, names names) (*runView, error) {
	v := &runView{Action: c.itemPath(i.ID)}
	run, err := c.pages.Workflows.RunOf(c.Context(), i.ID)
	ended := true
	switch {
	case problem.Is(err, problem.NotFound):
	case err != nil:
		return nil, err
	default:
		ended = run.Status.HasEnded()
		c.fillRun(v, &run, names)
	}
	profile := ""
	if i.Workflow != nil {
		profile = i.Workflow.ProfileID.String()
	}
	if c.may(account.WorkflowsAct) && ended {
		if v.Profiles, err = c.profileOptions(profile); err != nil {
			return nil, err
		}
	}
	if v.Status == nil && len(v.Profiles) == 0 {
		return nil, nil
	}
	return v, nil
}

func (c *call) fillRun(v *runView, run *workflow.Run, names names) {
	v.Status = &badge{string(run.Status), c.text.Or("run."+string(run.Status), string(run.Status))}
	v.Started, v.Who = momentOf(c.text, run.StartedAt), names.of(run.StartedBy)
	if run.Explanation != nil {
		v.Explanation = *run.Explanation
	}
	if run.Error != nil {
		v.Error = *run.Error
	}
	for n := range run.Actions {
		a := &run.Actions[n]
		v.Steps = append(v.Steps, c.step(a, names))
		if a.Status == machine.ActionWaiting && a.Kind.NeedsPerson() && c.may(account.WorkflowsAct) {
			v.Waiting, v.Verbs = a.Key, c.verbs(a.Kind)
		}
		if run.Status.HasEnded() {
			v.From = append(v.From, option{Value: a.Key, Text: stepName(a)})
		}
	}
	for _, task := range run.Tasks {
		shown := badgedLink{Text: task.Key,
			Badge: badge{string(task.State), c.text.Or("task."+string(task.State), string(task.State))}}
		if task.DeliveryID != nil && c.may(account.HooksManage) {
			shown.Href = c.deliveryPath(*task.DeliveryID)
		}
		v.Tasks = append(v.Tasks, shown)
	}
	v.MayCancel = c.may(account.WorkflowsAct) && !run.Status.HasEnded()
}

func (c *call) step(a *workflow.RunAction, names names) stepView {
	s := stepView{Name: stepName(a), Kind: c.text.Or("action."+string(a.Kind), string(a.Kind)),
		Status: badge{string(a.Status), c.text.Or("step."+string(a.Status), string(a.Status))}}
	if a.Status == machine.ActionRunning {
		s.Progress = a.Progress
	}
	if a.UserID != nil {
		s.Who = names.of(a.UserID)
	}
	if a.FinishedAt != nil {
		s.At = new(momentOf(c.text, *a.FinishedAt))
	}
	if a.Comment != nil {
		s.Comment = *a.Comment
	}
	if a.Error != nil {
		s.Error = *a.Error
	}
	return s
}

func stepName(a *workflow.RunAction) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Key
}

// verbs are what a person can do at an action, the usual one first.
func (c *call) verbs(kind machine.ActionKind) []option {
	verb := func(v string) option { return option{Value: v, Text: c.text.Get("verb." + v)} }
	if kind == machine.Approve {
		return []option{verb("approve"), verb("reject")}
	}
	return []option{verb("complete")}
}

// maxProfiles is the number of workflow profiles that a choice has.
const maxProfiles = 200

// profileOptions are the workflow profiles that a run can be of.
func (c *call) profileOptions(chosen string) ([]option, error) {
	profiles, _, err := c.pages.Workflows.Profiles(c.Context(), maxProfiles, "")
	if err != nil {
		return nil, err
	}
	var options []option
	for n := range profiles {
		if p := &profiles[n]; len(p.Actions)+len(p.Tasks) > 0 {
			id := p.ID.String()
			options = append(options, option{Value: id, Text: p.Name, Selected: id == chosen})
		}
	}
	return options, nil
}

func (c *call) startRun(i *item.Item) (notice, error) {
	profile, err := uuid.Parse(c.value("profile"))
	if err != nil {
		return notice{}, problem.New(problem.BadRequest, "Choose a workflow profile.")
	}
	return c.startFrom(i.ID, workflow.StartInput{ProfileID: &profile})
}

// startFrom starts a run of an item, at the action that the form names, or at the first.
func (c *call) startFrom(id uuid.UUID, in workflow.StartInput) (notice, error) {
	if from := c.value("from"); from != "" {
		in.From = &from
	}
	_, err := c.pages.Workflows.Start(c.Context(), id, in)
	return done("run.started"), err
}

func (c *call) cancelRun(id uuid.UUID) (notice, error) {
	_, err := c.pages.Workflows.CancelRun(c.Context(), id)
	return done("run.stopped"), err
}

// act completes, approves or rejects the action of an item's run that the form names.
func (c *call) act(id uuid.UUID) (notice, error) {
	verb := c.value("do")
	_, err := c.pages.Workflows.Act(c.Context(), id, c.value("action"), machine.Verb(verb), c.value("comment"))
	return done("verb.done." + verb), err
}
