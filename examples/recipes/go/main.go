// Accounts in a web application with net/http.
//
//	go run .
//
// The process has its own Postern process; any number of them use the directory that POSTERN_DATA names.
package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"

	postern "github.com/postern-accounts/postern-go"
)

// Only to try it without TLS.
var secureCookies = os.Getenv("SECURE_COOKIES") != "0"

// A form of the application: a page that shows it, and what it does.
type form struct {
	Path, Title string
	Names       []string
}

var forms = []form{
	{"/sign-up", "Create an account", []string{"first_name", "last_name", "email", "password"}},
	{"/sign-in", "Sign in", []string{"email", "password"}},
	{"/forgotten", "Mail me a link to set a new password", []string{"email"}},
	// The links in mails. Opening one changes nothing, because programs that scan mails open links too.
	{"/operators/confirm", "Confirm your email", []string{"code"}},
	{"/operators/reset", "Set a new password", []string{"code", "password"}},
}

var page = template.Must(template.New("").Parse(`<!doctype html><title>Accounts</title>
<p>{{.Message}}</p>
{{with .Sessions}}<ul>{{range .}}<li>{{.Agent}} {{if .Current}}(this one){{end}}
<form method=post action=/sessions/end><button name=id value={{.ID}}>End</button></form>{{end}}</ul>
<form method=post action=/sign-out><button>Sign out</button></form>{{end}}
{{$code := .Code}}{{range .Forms}}<form method=post action={{.Path}}><h2>{{.Title}}</h2>
{{range .Names}}<input name={{.}} placeholder={{.}} {{if eq . "code"}}value="{{$code}}"{{end}}>{{end}}
<button>{{.Title}}</button></form>{{end}}`))

type content struct {
	Message, Code string
	Forms         []form
	Sessions      []postern.OperatorsOpenSession
}

// application has the client, opened by the first request, and again after its process has died.
type application struct {
	lock   sync.Mutex
	client *postern.Client
}

func (a *application) open() (*postern.Client, error) {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.client == nil {
		client, err := postern.Open(postern.Options{})
		if err != nil {
			return nil, err
		}
		a.client = client
	}
	return a.client, nil
}

// close waits for the calls in flight, and for the process.
func (a *application) close() error {
	a.lock.Lock()
	defer a.lock.Unlock()
	if a.client == nil {
		return nil
	}
	return a.client.Close()
}

// fail shows what the service refuses. The client is the one that was used.
func (a *application) fail(w http.ResponseWriter, r *http.Request, client *postern.Client, err error) {
	var refused *postern.CallError
	var failed *postern.OperatorsAuthenticationFailed
	var ended *postern.ProcessEnded
	switch {
	case errors.As(err, &failed):
		// The session has expired, or was ended elsewhere.
		signedOut(w, r)
	case errors.As(err, &refused):
		show(w, http.StatusBadRequest, content{Message: refused.Message})
	case errors.As(err, &ended):
		// What was acknowledged is in the directory, and the next request opens a new client.
		a.lock.Lock()
		// Another request may have opened the next one already.
		if a.client == client {
			a.client = nil
		}
		a.lock.Unlock()
		show(w, http.StatusServiceUnavailable, content{Message: "Please try again."})
	default:
		log.Print(err)
		show(w, http.StatusInternalServerError, content{Message: "Something went wrong."})
	}
}

// handled is the handler of an action, which is given the methods, the form and where the request comes from.
func (a *application) handled(action func(*postern.OperatorsMethods, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		client, err := a.open()
		if err == nil {
			err = action(&client.Operators, w, r)
		}
		if err != nil {
			a.fail(w, r, client, err)
		}
	}
}

func show(w http.ResponseWriter, status int, shown content) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := page.Execute(w, shown); err != nil {
		log.Print(err)
	}
}

// origin says where the request comes from: failures count for this address, and the list of sessions shows it.
func origin(r *http.Request) *postern.OperatorsOriginInput {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	agent := r.UserAgent()
	return &postern.OperatorsOriginInput{Ip: &ip, Agent: &agent}
}

// session returns the credential in the cookie.
func session(r *http.Request) (id int64, secret string, ok bool) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return 0, "", false
	}
	number, secret, _ := strings.Cut(cookie.Value, ".")
	id, _ = strconv.ParseInt(number, 10, 64)
	return id, secret, true
}

func home(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	id, secret, ok := session(r)
	if !ok {
		show(w, http.StatusOK, content{Message: "You are not signed in.", Forms: forms[:3]})
		return nil
	}
	account, err := operators.Account(r.Context(), postern.OperatorsAccountParams{UserID: id, SessionID: secret})
	if err != nil {
		return err
	}
	open, err := operators.Sessions(r.Context(), postern.OperatorsSessionsParams{UserID: id, SessionID: secret})
	if err != nil {
		return err
	}
	show(w, http.StatusOK, content{Message: fmt.Sprintf("You are %s.", account.User.Email), Sessions: open.Sessions})
	return nil
}

func signUp(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	_, err := operators.Register(r.Context(), postern.OperatorsRegisterParams{
		User: postern.OperatorsPersonInput{
			FirstName: r.PostFormValue("first_name"),
			LastName:  r.PostFormValue("last_name"),
			Email:     r.PostFormValue("email"),
		},
		Password: r.PostFormValue("password"),
		Client:   origin(r),
	})
	if err == nil {
		show(w, http.StatusOK, content{Message: "A mail with a link is on its way."})
	}
	return err
}

func confirm(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	_, err := operators.ConfirmEmail(r.Context(), postern.OperatorsConfirmEmailParams{Code: r.PostFormValue("code")})
	return back(w, r, err)
}

func signIn(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	operator, err := operators.Signin(r.Context(), postern.OperatorsSigninParams{
		Email:    r.PostFormValue("email"),
		Password: r.PostFormValue("password"),
		Client:   origin(r),
	})
	if err != nil {
		return err
	}
	// With SameSite, other sites cannot send forms in the name of the user.
	http.SetCookie(w, &http.Cookie{
		Name: "session", Value: fmt.Sprintf("%d.%s", operator.ID, operator.SessionID), Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secureCookies,
	})
	return back(w, r, nil)
}

func signOut(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	id, secret, _ := session(r)
	err := operators.Signout(r.Context(), postern.OperatorsSignoutParams{UserID: id, SessionID: secret})
	if err == nil {
		signedOut(w, r)
	}
	return err
}

func signedOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func endSession(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	id, secret, _ := session(r)
	number, _ := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	params := postern.OperatorsEndSessionParams{UserID: id, SessionID: secret, ID: number}
	return back(w, r, operators.EndSession(r.Context(), params))
}

func forgotten(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	params := postern.OperatorsResetPasswordParams{Email: r.PostFormValue("email"), Client: origin(r)}
	err := operators.ResetPassword(r.Context(), params)
	if err == nil {
		show(w, http.StatusOK, content{Message: "A mail with a link is on its way."})
	}
	return err
}

func reset(operators *postern.OperatorsMethods, w http.ResponseWriter, r *http.Request) error {
	return back(w, r, operators.CompleteReset(r.Context(), postern.OperatorsCompleteResetParams{
		Code:     r.PostFormValue("code"),
		Password: r.PostFormValue("password"),
		Client:   origin(r),
	}))
}

// back leads to the first page if there is no error.
func back(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
	return err
}

func (a *application) routes() http.Handler {
	actions := map[string]http.HandlerFunc{
		"/sign-up":           a.handled(signUp),
		"/sign-in":           a.handled(signIn),
		"/sign-out":          a.handled(signOut),
		"/sessions/end":      a.handled(endSession),
		"/forgotten":         a.handled(forgotten),
		"/operators/confirm": a.handled(confirm),
		"/operators/reset":   a.handled(reset),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if action, ok := actions[r.URL.Path]; ok && r.Method == http.MethodPost {
			action(w, r)
			return
		}
		if r.URL.Path == "/" {
			a.handled(home)(w, r)
			return
		}
		for _, shown := range forms {
			if shown.Path == r.URL.Path {
				show(w, http.StatusOK, content{Forms: []form{shown}, Code: r.URL.Query().Get("code")})
				return
			}
		}
		show(w, http.StatusNotFound, content{Message: "There is no such page."})
	})
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8000"
	}
	app := &application{}
	server := &http.Server{Addr: "127.0.0.1:" + port, Handler: app.routes()}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		<-ended.Done()
		// Requests in flight are answered.
		if err := server.Shutdown(context.Background()); err != nil {
			log.Print(err)
		}
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := app.close(); err != nil {
		log.Fatal(err)
	}
}
