;;; emacs.el --- Emacs runs Postern with its jsonrpc.el  -*- coding: utf-8; lexical-binding: t -*-

;;; Commentary:

;; clients/README.md shows the start of such a connection.

;;; Code:

(require 'jsonrpc)

(defconst call-seconds-max 20)
(defconst concurrent-calls 1000)
(defconst password "a long password")
(defconst text "é 😀 \u00a0 \u200d \\ \" 漢字")

(defvar check-count 0)
(defvar exit-code nil "The exit code of the process, once it has ended.")

(defmacro check (name &rest body)
  "Run BODY and print, under NAME, whether it succeeded."
  (declare (indent 1))
  `(progn
     (setq check-count (1+ check-count))
     (condition-case problem
         (progn ,@body (princ (format "ok %d - %s\n" check-count ,name)))
       (error (princ (format "not ok %d - %s # %S\n" check-count ,name problem))))))

(defun expect (actual expected)
  "Fail unless ACTUAL is EXPECTED."
  (unless (equal actual expected)
    (error "got %S instead of %S" actual expected)))

(defvar connection
  (jsonrpc-process-connection
   :name "postern"
   :events-buffer-scrollback-size 0
   :on-shutdown (lambda (ended) (setq exit-code (process-exit-status (jsonrpc--process ended))))
   :process (lambda ()
              (make-process :name "postern"
                            :command (list (getenv "POSTERN_BIN") "--data" ":memory:" "--no-email-confirmation")
                            :connection-type 'pipe
                            :coding 'utf-8-emacs-unix
                            :noquery t
                            :stderr (get-buffer-create "*postern stderr*")))))

(defun call (method &rest params)
  "The result of METHOD with PARAMS."
  (jsonrpc-request connection method params :timeout call-seconds-max))

(defun call-later (method params on-result on-error)
  "Call METHOD with PARAMS, then ON-RESULT or ON-ERROR with the reply."
  (jsonrpc-async-request connection method params
                         :timeout call-seconds-max
                         :success-fn on-result
                         :error-fn on-error
                         :timeout-fn (lambda () (funcall on-error '(:message "Timed out")))))

(defun fault (method &rest params)
  "The error of METHOD with PARAMS, as code, message and data."
  (condition-case problem
      (error "got %S instead of an error" (apply #'call method params))
    (jsonrpc-error (mapcar (lambda (key) (alist-get key (cddr problem)))
                           '(jsonrpc-error-code jsonrpc-error-message jsonrpc-error-data)))))

(defun wait-for (condition)
  "Process output until CONDITION holds."
  (with-timeout (call-seconds-max (error "Timed out"))
    (while (not (funcall condition))
      (accept-process-output nil 0.05))))

(defun person (email)
  (list :first_name "Zoë" :last_name "Sorenson" :email email))

(defun register (email)
  "The session of a new operator with EMAIL."
  (let ((operator (call :operators.register :user (person email) :password password)))
    (list :user_id (plist-get operator :id) :session_id (plist-get operator :session_id))))

(defun client-params (session email address)
  (append session (list :client (list :user (person email) :address address))))

(defun addresses (session)
  "The addresses of the clients of SESSION."
  (mapcar (lambda (client) (plist-get client :address))
          (plist-get (apply #'call :operators.clients.get (append session '(:provision 0))) :clients)))

(let (session)
  (check "a call gets its result"
    (setq session (register "luke@example.com"))
    (expect (length (plist-get session :session_id)) 128))

  (check "null params are accepted"
    (expect (plist-get (call :system.info) :name) "postern"))

  (check "an error of the service has its code, message and data"
    (expect (fault :operators.signin :email "luke@example.com" :password "a wrong password")
            '(-9 "Password is incorrect for this account." (:errors ["wrong_password"]))))

  (check "an unknown method is an error"
    (expect (fault :operators.sing) '(-32601 "Method not found: operators.sing (did you mean operators.signin?)" nil)))

  (check "params of the wrong kind are an error"
    (expect (condition-case problem
                (jsonrpc-request connection :operators.signin ["luke@example.com"])
              (jsonrpc-error (alist-get 'jsonrpc-error-code (cddr problem))))
            -32602))

  (check "a method without a result returns null"
    (let ((leaving (register "leaving@example.com")))
      (expect (apply #'call :operators.signout leaving) nil)
      (expect (car (apply #'fault :operators.clients.get (append leaving '(:provision 0)))) -2)))

  (check "a notification is executed and gets no reply"
    (jsonrpc-notify connection :operators.client.create (client-params session "n@example.com" "by a notification"))
    (jsonrpc-notify connection :no.such.method nil)
    (expect (addresses session) '("by a notification")))

  (check "non-ASCII text is returned unchanged"
    (let ((client (apply #'call :operators.client.create (client-params session "text@example.com" text))))
      (expect (plist-get client :address) text)
      (expect (plist-get (plist-get client :user) :first_name) "Zoë")
      (expect (car (addresses session)) text)))

  (check (format "%d concurrent calls each get their own reply" concurrent-calls)
    (let ((busy (register "busy@example.com"))
          (finished nil)
          (problems nil))
      (dotimes (number concurrent-calls)
        (let ((address (format "address %d" number)))
          (if (zerop (% number 10))
              (call-later :operators.signin (list :email "luke@example.com" :password password)
                          (lambda (operator)
                            (push number finished)
                            (unless (equal (plist-get operator :id) (plist-get session :user_id))
                              (push (list number operator) problems)))
                          (lambda (problem) (push number finished) (push problem problems)))
            (call-later :operators.client.create (client-params busy (format "c%d@example.com" number) address)
                        (lambda (client)
                          (push number finished)
                          (unless (equal (plist-get client :address) address)
                            (push (list number client) problems)))
                        (lambda (problem) (push number finished) (push problem problems))))))
      (wait-for (lambda () (= (length finished) concurrent-calls)))
      (expect problems nil)
      (expect (length (addresses busy)) (- concurrent-calls (/ concurrent-calls 10)))
      (when (equal finished (sort (copy-sequence finished) #'>))
        (error "No reply overtook another"))))

  (check "a request of 1 MiB is accepted"
    (expect (plist-get (call :system.info :ignored (make-string (ash 1 19) ?é)) :name) "postern"))

  (check "a reply of 1 MiB is read"
    (let ((many (register "many@example.com"))
          (address (make-string 1000 ?漢))
          (created 0))
      (dotimes (number 400)
        (call-later :operators.client.create (client-params many (format "m%d@example.com" number) address)
                    (lambda (_) (setq created (1+ created))) #'ignore))
      (wait-for (lambda () (= created 400)))
      (expect (addresses many) (make-list 400 address))))

  (check "the program exits with 0 at the end of its input"
    (process-send-eof (jsonrpc--process connection))
    (wait-for (lambda () exit-code))
    (expect exit-code 0))

  (princ (format "1..%d\n" check-count)))

;;; emacs.el ends here
