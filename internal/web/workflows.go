package web

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/workflow"
	"itemcast/internal/workflow/machine"
)

// runsPerPage is the number of runs of a page.
const runsPerPage = 25

// workflowsView is what workflows.html shows.
type workflowsView struct {
	Root     string
	Self     string // path of the page
	Here     string // the address of this page, with its query
	API      string // the same in the browsable API
	Live     string // address of the changes after which the page has changed
	Show     string // which runs
	Lists    []link
	Runs     []listedRun
	First    string // address of the first page; "" on it
	Next     string
	IsWorker bool // may act
	Profiles string
}

// listedRun is a run in a list.
type listedRun struct {
	runView
	ID       string
	Item     string // id
	Name     string
	Href     string // of the item
	Step     string // the current action
	Place    string // "2 of 4"
	Retry    string // key of the action to begin again at; "" unless the run has ended without success
	MayRetry bool
}

func (v *workflowsView) apiAddress() string { return v.API }

var workflowsScreen = newScreen("workflows.html", "run_steps.html")

// WorkflowRuns serves the runs of workflows: an inbox of those that wait for the user, those under way, and the failed
// ones, each with its buttons.
func (p *Pages) WorkflowRuns() http.Handler {
	return p.serve((*call).showWorkflows, (*call).changeWorkflows)
}

// runLists are the lists of the page, by the value of the parameter show. The first one is shown without it.
var runLists = []struct {
	show   string
	filter workflow.RunFilter
}{
	{"inbox", workflow.RunFilter{ForMe: true}},
	{"running", workflow.RunFilter{Statuses: []machine.Status{machine.Pending, machine.Running, machine.Waiting}}},
	{"failed", workflow.RunFilter{Statuses: []machine.Status{machine.Failed}}},
	{"ended", workflow.RunFilter{Statuses: []machine.Status{machine.Completed, machine.Cancelled}}},
}

func (c *call) workflowsPath() string { return c.pages.root + "workflows" }

func (c *call) showWorkflows() error {
	query := c.URL.Query()
	chosen := runLists[0]
	for _, list := range runLists {
		if list.show == query.Get("show") {
			chosen = list
		}
	}
	v := workflowsView{Root: c.pages.root, Self: c.workflowsPath(), Here: c.URL.RequestURI(), Show: chosen.show,
		IsWorker: c.may(account.WorkflowsAct)}
	for _, list := range runLists {
		v.Lists = append(v.Lists, link{Href: c.listPath(list.show), Text: c.text.Get("workflows." + list.show),
			Current: list.show == chosen.show})
	}
	if c.may(account.WorkflowsManage) {
		v.Profiles = c.pages.root + "api/v1/workflow-profiles"
	}
	given := url.Values{}
	for _, status := range chosen.filter.Statuses {
		given.Add("status", string(status))
	}
	if chosen.filter.ForMe {
		given.Set("for_me", "true")
	}
	v.API = c.pages.root + "api/v1/workflows?" + given.Encode()
	// The cursor is of before the list, so that the script misses nothing.
	v.Live = c.pages.root + "api/v1/changes?changed_fields=workflow&after=" + url.QueryEscape(c.pages.Cursor())
	if query.Get("after") != "" {
		v.First = c.listPath(chosen.show)
	}
	runs, next, err := c.pages.Workflows.Runs(c.Context(), chosen.filter, runsPerPage, query.Get("after"))
	if err != nil {
		return err
	}
	if next != "" {
		v.Next = v.Self + "?" + url.Values{"show": {chosen.show}, "after": {next}}.Encode()
	}
	n := names{}
	for i := range runs {
		v.Runs = append(v.Runs, c.listedRun(&runs[i], n))
	}
	if err := c.fillNames(n); err != nil {
		return err
	}
	c.show(workflowsScreen, http.StatusOK, &v)
	return nil
}

func (c *call) listPath(show string) string {
	if show == runLists[0].show {
		return c.workflowsPath()
	}
	return c.workflowsPath() + "?show=" + show
}

func (c *call) listedRun(run *workflow.Run, n names) listedRun {
	v := listedRun{ID: run.ID.String(), Item: run.ItemID.String(), Name: run.ItemName, Href: c.itemPath(run.ItemID)}
	c.fillRun(&v.runView, run, n)
	v.Action = c.workflowsPath()
	for i := range run.Actions {
		if a := &run.Actions[i]; run.CurrentAction != nil && a.Key == *run.CurrentAction {
			v.Step = stepName(a)
			v.Place = c.text.Get("workflows.place", i+1, len(run.Actions))
		}
	}
	if run.Status == machine.Failed || run.Status == machine.Cancelled {
		v.MayRetry = c.may(account.WorkflowsAct)
		if run.CurrentAction != nil {
			v.Retry = *run.CurrentAction
		}
	}
	return v
}

// changeWorkflows does what a button says to the run of an item.
func (c *call) changeWorkflows() error {
	id, err := uuid.Parse(c.value("item"))
	if err != nil {
		return problem.New(problem.BadRequest, "The form does not say which item it is about. Load the page again.")
	}
	report, err := c.moveRun(id)
	if err != nil && refusal(err) == nil {
		return err
	}
	if err != nil { // such as that somebody else was faster
		report = c.problemNotice(err)
	}
	back := localPath(c.value("back"), c.workflowsPath())
	if u, err := url.Parse(back); err != nil || u.Path != c.workflowsPath() {
		back = c.workflowsPath()
	}
	return c.seeOther(back, report)
}

func (c *call) moveRun(id uuid.UUID) (notice, error) {
	switch c.value("do") {
	case "cancel":
		return c.cancelRun(id)
	case "retry":
		return c.startFrom(id, workflow.StartInput{})
	case "approve", "reject", "complete":
		return c.act(id)
	}
	return notice{}, problem.New(problem.BadRequest, "The form does not say what to do. Load the page again.")
}
