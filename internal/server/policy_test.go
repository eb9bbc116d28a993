package server_test

import (
	"context"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/token"
	"itemcast/internal/upload"
	"itemcast/internal/upload/attach"
	"itemcast/internal/workflow"
)

// guarded are the services that requests reach. They have no database: a call that is refused does not reach it.
var guarded = map[string]any{
	"item.Service":      item.NewService(item.Config{}),
	"attach.Service":    attach.NewService(attach.Config{}),
	"hook.Service":      hook.NewService(hook.Config{}),
	"account.Directory": account.NewDirectory(nil),
	"account.Service":   account.NewService(account.Config{}),
	"signin.Service":    signin.New(signin.Config{}),
	"token.Service":     token.NewService(nil),
	"workflow.Service":  workflow.NewService(workflow.Config{}),
	"live.Hub":          live.NewHub(nil, nil, 0, nil),
	"media.Service":     media.NewService(media.Config{}),
	"upload.Service":    upload.NewService(upload.Config{}),
}

// needs has the permissions that each method requires, in the order of the checks.
var needs = map[string][]account.Permission{
	"item.Service.Get":        {account.ItemsView},
	"item.Service.GetMany":    {account.ItemsView},
	"item.Service.List":       {account.ItemsView},
	"item.Service.Count":      {account.ItemsView},
	"item.Service.Tags":       {account.ItemsView},
	"item.Service.History":    {account.ItemsView},
	"item.Service.Export":     {account.ItemsView},
	"item.Service.Fields":     {account.ItemsView},
	"item.Service.Views":      {account.ItemsView},
	"item.Service.SaveView":   {account.ItemsView},
	"item.Service.DeleteView": {account.ItemsView},
	"item.Service.Field":      {account.ItemsView},
	"item.Service.Create":     {account.ItemsCreate},
	"item.Service.Replace":    {account.ItemsEdit},
	"item.Service.Patch":      {account.ItemsEdit},
	"item.Service.Hold":       {account.ItemsEdit},
	"item.Service.Delete":     {account.ItemsDelete},

	"item.Service.CreateWithMedia": {account.ItemsCreate},
	"item.Service.ChangeMedia":     {account.ItemsEdit},
	"item.Service.DeleteAsset":     {account.ItemsEdit},
	"item.Service.DeleteSnapshot":  {account.ItemsEdit},

	"attach.Service.MayAdd":      {account.ItemsEdit},
	"attach.Service.Add":         {account.ItemsEdit},
	"attach.Service.AddByURL":    {account.ItemsEdit},
	"attach.Service.AddSnapshot": {account.ItemsEdit},
	"attach.Service.MayAddForm":  {account.ItemsEdit},
	"attach.Service.AddStored":   {account.ItemsEdit},

	"item.Service.Import":        {account.ItemsCreate, account.ItemsEdit},
	"item.Service.CreateField":   {account.WorkflowsManage},
	"item.Service.PatchField":    {account.WorkflowsManage},
	"item.Service.DeleteField":   {account.WorkflowsManage},
	"hook.Service.Create":        {account.HooksManage},
	"hook.Service.List":          {account.HooksManage},
	"hook.Service.Get":           {account.HooksManage},
	"hook.Service.Delete":        {account.HooksManage},
	"hook.Service.Patch":         {account.HooksManage},
	"hook.Service.Deliveries":    {account.HooksManage},
	"hook.Service.Delivery":      {account.HooksManage},
	"hook.Service.Redeliver":     {account.HooksManage},
	"hook.Service.RotateSecret":  {account.HooksManage},
	"hook.Service.Test":          {account.HooksManage},
	"hook.Service.Replay":        {account.HooksManage},
	"hook.Service.CurrentReplay": {account.HooksManage},
	"hook.Service.Trigger":       {account.ItemsEdit},
	"hook.Service.Targets":       {account.ItemsEdit},
	"hook.Service.StopReplay":    {account.HooksManage},
	"hook.Service.Health":        {account.HooksManage},
	"hook.Service.Document":      {account.HooksManage, account.ItemsView},
	"item.Service.Sample":        {account.HooksManage},
	"account.Directory.Names":    {account.ItemsView},
	"live.Hub.Subscribe":         {account.ItemsView},
	"live.Hub.Follow":            {account.ItemsView},
	"live.Hub.Recent":            {account.ItemsView},

	"token.Service.List":   {},
	"token.Service.Get":    {},
	"token.Service.Create": {},
	"token.Service.Patch":  {},
	"token.Service.Rotate": {},
	"token.Service.Revoke": {},

	"media.Service.Links": {account.ItemsView},

	"upload.Service.List": {account.UploadsManage},
	"upload.Service.Stop": {account.UploadsManage},

	"upload.Service.Usage":           {},
	"upload.Service.BeginAdding":     {}, // its caller has checked that the actor may edit the item
	"upload.Service.CreateResumable": {account.ItemsCreate},

	"workflow.Service.Profiles":      {account.ItemsView},
	"workflow.Service.Profile":       {account.ItemsView},
	"workflow.Service.Inbox":         {account.ItemsView},
	"workflow.Service.CreateProfile": {account.WorkflowsManage},
	"workflow.Service.PatchProfile":  {account.WorkflowsManage},
	"workflow.Service.DeleteProfile": {account.WorkflowsManage},
	"workflow.Service.CopyProfile":   {account.WorkflowsManage},
	"workflow.Service.CheckProfile":  {account.WorkflowsManage},
	"workflow.Service.RotateSecret":  {account.WorkflowsManage},
	"workflow.Service.SignTicket":    {account.WorkflowsManage},
	"workflow.Service.Versions":      {account.ItemsView},
	"workflow.Service.Version":       {account.ItemsView},
	"workflow.Service.Runs":          {account.ItemsView},
	"workflow.Service.RunOf":         {account.ItemsView},
	"workflow.Service.LastRuns":      {account.ItemsView},
	"workflow.Service.History":       {account.ItemsView},
	"workflow.Service.Start":         {account.WorkflowsAct},
	"workflow.Service.CancelRun":     {account.WorkflowsAct},
	"workflow.Service.Act":           {account.WorkflowsAct},

	"account.Service.Settings":       {},
	"account.Service.PatchSettings":  {account.UsersManage},
	"account.Service.Users":          {account.UsersManage},
	"account.Service.User":           {account.UsersManage},
	"account.Service.UserByEmail":    {account.UsersManage},
	"account.Service.CreateUser":     {account.UsersManage},
	"account.Service.PatchUser":      {account.UsersManage},
	"account.Service.DeleteUser":     {account.UsersManage},
	"account.Service.ResetLink":      {account.UsersManage},
	"account.Service.RotatePassword": {account.UsersManage},
	"account.Service.Roles":          {account.UsersManage},
	"account.Service.Role":           {account.UsersManage},
	"account.Service.RoleByName":     {account.UsersManage},
	"account.Service.CreateRole":     {account.UsersManage},
	"account.Service.PatchRole":      {account.UsersManage},
	"account.Service.DeleteRole":     {account.UsersManage},
	"account.Service.AuditLog":       {account.UsersManage},

	"signin.Service.ChangePassword": {}, // the actor's own
	"signin.Service.Sessions":       {},
	"signin.Service.EndSession":     {},
	"signin.Service.EndSessions":    {},
}

// exempt are the methods without a permission, and the reason.
var exempt = map[string]string{
	"item.Service.RunRenewal":           "the node itself renders documents anew",
	"account.Service.RunAuditRetention": "the node itself deletes old entries",
	"signin.Service.Run":                "the node itself listens for changes",
	"hook.Service.SyncWorkflow":         "part of a change of a workflow profile, which has authorized",
	"hook.Service.RetireWorkflow":       "part of a change of a workflow profile, which has authorized, or of its sweep",
	"hook.Service.EndWorkflow":          "part of the deletion of a workflow profile, which has authorized",
	"workflow.Service.Run":              "the node itself listens for changes, and moves runs",
	"media.Service.Run":                 "the node itself deletes unused files",
	"workflow.Service.RunProcessing":    "the process itself takes steps of runs",
	"media.Service.RunUsage":            "the node itself merges rows",
	"media.Service.MergeUsage":          "part of RunUsage",
	"media.Service.Measure":             "part of a change of an item, which has authorized",
	"upload.Service.Run":                "the node itself ends dead uploads",
	"upload.Service.Sweep":              "part of Run",
	"upload.Service.Admit":              "checks a ticket, which stands for no user",
	"upload.Service.Begin":              "takes a ticket that Admit has checked",
	"upload.Service.Resumable":          "the key of an upload stands for no user",
	"upload.Service.Hold":               "the key of an upload stands for no user",
	"media.Service.Extend":              "part of an upload, which has authorized",
	"media.Service.ReadSegments":        "part of an upload, which has authorized",
	"media.Service.StageSegments":       "part of an upload, which has authorized",
	"media.Service.DeleteSegments":      "part of an upload, which has authorized",
	"media.Service.Check":               "for operators",
	"media.Service.Fetch":               "public files are for everybody; it authorizes for private ones",
	"media.Service.VerifyPlayer":        "a signature is a permission",
	"media.Service.SignURL":             "for a viewer with a signature, which has been verified",
	"media.Service.Content":             "takes what Fetch has found",
	"media.Service.ExplainRead":         "explains an error of Content",
	"media.Service.Stage":               "part of an upload or of processing, which has authorized",
	"media.Service.Publish":             "part of a change of an item, which has authorized",
	"media.Service.Drop":                "part of a change of an item, which has authorized",
	"media.Service.Discard":             "part of an upload or of processing, which has authorized",
	"media.Service.Open":                "part of processing, which has authorized",
	"workflow.Service.UploadTerms":      "a ticket stands for no user; its signature is checked against the terms",
	"item.Service.LockForWorkflow":      "package workflow has checked the actor, or is the system",
	"item.Service.ReviseForWorkflow":    "package workflow has checked the actor, or is the system",
	"item.Service.StoreForWorkflow":     "as ReviseForWorkflow",
	"signin.Service.Basic":              "finds the actor of a request",
	"signin.Service.Session":            "finds the actor of a request",
	"signin.Service.Bearer":             "finds the actor of a request",
	"signin.Service.Spend":              "counts a request of an actor that Bearer has found",
	"signin.Service.Open":               "takes credentials",
	"signin.Service.Close":              "takes a session's token, whatever its user may do",
	"signin.Service.ResetUser":          "takes a reset link's token",
	"signin.Service.Reset":              "takes a reset link's token",
}

// A method that is missing here fails the test.
func TestPolicy_EveryMethodRefusesUsersWithoutItsPermission(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for service, value := range guarded {
		methods := reflect.ValueOf(value)
		for i := range methods.NumMethod() {
			name, method := service+"."+methods.Type().Method(i).Name, methods.Method(i)
			if !takesContext(method.Type()) {
				continue
			}
			seen[name] = true
			if exempt[name] != "" {
				continue
			}
			if needs[name] == nil {
				t.Errorf("%s has no denial case: name its permission in needs, or the reason to have none in exempt", name)
				continue
			}
			t.Run(name, func(t *testing.T) { t.Parallel(); checkDenials(t, method, needs[name]) })
		}
	}
	for name := range needs {
		if !seen[name] {
			t.Errorf("%s has a denial case, but there is no such method", name)
		}
	}
	for name := range exempt {
		if !seen[name] {
			t.Errorf("%s is exempt, but there is no such method", name)
		}
	}
}

func checkDenials(t *testing.T, method reflect.Value, needs []account.Permission) {
	expect(t, call(t, t.Context(), method), problem.Unauthenticated, "")
	as := func(permissions account.Permissions) context.Context {
		return account.WithActor(t.Context(),
			account.Actor{AccountID: uuid.New(), UserID: uuid.New(), Permissions: permissions})
	}
	for _, lacking := range append([]account.Permission{account.APIAccess}, needs...) {
		rest := slices.DeleteFunc(account.All(), func(p account.Permission) bool { return p == lacking })
		expect(t, call(t, as(rest), method), problem.Forbidden, string(lacking))
	}
}

func takesContext(method reflect.Type) bool {
	return method.NumIn() > 0 && method.In(0) == reflect.TypeFor[context.Context]()
}

// call calls a method with zero arguments. A method that continues after its check panics without a database.
func call(t *testing.T, ctx context.Context, method reflect.Value) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("it continued without authorization: %v", p)
		}
	}()
	args := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < method.Type().NumIn(); i++ {
		switch in := method.Type().In(i); in {
		case reflect.TypeFor[io.Reader]():
			args = append(args, reflect.ValueOf(strings.NewReader("")))
		case reflect.TypeFor[io.Writer]():
			args = append(args, reflect.ValueOf(io.Discard))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	invoke := method.Call
	if method.Type().IsVariadic() {
		invoke = method.CallSlice
	}
	results := invoke(args)
	err, _ = results[len(results)-1].Interface().(error)
	return err
}

func expect(t *testing.T, err error, code problem.Code, naming string) {
	t.Helper()
	if !problem.Is(err, code) || !strings.Contains(err.Error(), naming) {
		t.Errorf("got %v, want %s %s", err, code, naming)
	}
}
