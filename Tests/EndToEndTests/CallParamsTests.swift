import Foundation
import JSON
import PosternTesting
import Testing

/// The params of `postern call`, and what its command line reveals about them.
struct CallParamsTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }

    init() throws {
        try PosternProcess.run(data)
    }

    private func call(_ words: String..., input: String = "") throws -> PosternProcess.Outcome {
        try PosternProcess.run(["call"] + words + data, input: input)
    }

    @Test func readsParamsFromStandardInput() throws {
        let params = #"{"email":"a@b.co","password":"secret","role":"user"}"#
        #expect(try call("care.user.register", "-", input: params).status == 0)
        let wrong = try call("care.auth.token", "-", input: "{")
        #expect(wrong.status == 64 && wrong.errors.hasPrefix("postern: stdin: the params are not JSON: the text ends"))
        let none = try call("care.auth.token", "-", input: "{}")
        #expect(none.status == 1 && none.errors.contains("email_required"))
        let bytes = try PosternProcess(["call", "care.auth.token", "-"] + data)
        bytes.write(Data([0xFF]))
        bytes.finish()
        #expect(bytes.status == 1 && bytes.errorText == "postern: stdin: not UTF-8\n")
    }

    @Test func takesParamsAsNameValuePairs() throws {
        let register = try call(
            "operators.register",
            "user.first_name=Luke",
            "user.last_name=4",
            "user.email=a@b.co",
            "password=12=34"
        )
        let account = try JSONValue(parsing: register.output)
        #expect(account["user"]?["last_name"]?.string == "4")
        let (id, session) = (try #require(account["id"]?.int), try #require(account["session_id"]?.string))
        // A value is a number if the contract says so, and paths such as `client.user.email` make objects.
        let client = try call(
            "operators.client.create",
            "user_id=\(id)",
            "session_id=\(session)",
            "client.user.first_name=M",
            "client.user.last_name=S",
            "client.user.email=m@b.co",
            "client.address=14 Barnesdale Rd."
        )
        #expect(client.status == 0, "\(client.errors)")
        let list = try call("operators.clients.get", "user_id=\(id)", "session_id=\(session)", "provision=0")
        #expect(try JSONValue(parsing: list.output)["clients"]?.array?.count == 1)
        let wrong = try call("operators.clients.get", "user_id=x", "session_id=\(session)", "provision=0")
        #expect(wrong.status == 1)
    }

    @Test func readsValuesFromFilesAndStandardInput() throws {
        let file = folder.path("password")
        try "secret\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try call("care.user.register", "email=a@b.co", "password=@\(file)", "role=user").status == 0)
        #expect(try call("care.auth.token", "email=a@b.co", "password=@-", input: "secret\n").status == 0)
        #expect(try call("care.auth.token", "email=a@b.co", "password=@-", input: "secret\n\n").status == 1)
        let missing = try call("care.auth.token", "email=a@b.co", "password=@\(folder.path("none"))")
        #expect(missing.status == 1 && missing.errors.hasSuffix("none: No such file or directory\n"))
    }

    /// Swift reads CR LF as one Character, so a file from Windows
    /// once registered a password with a carriage return at its end.
    @Test func removesOneLineEndOfEitherKind() throws {
        let file = folder.path("password")
        try "secret\r\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try call("care.user.register", "email=a@b.co", "password=@\(file)", "role=user").status == 0)
        #expect(try call("care.auth.token", "email=a@b.co", "password=secret").status == 0)
        for (input, status) in [("secret\r\n", 0), ("secret", 0), ("secret\r", 1), ("secret\n\r\n", 1), ("\r\n", 1)] {
            let outcome = try call("care.auth.token", "email=a@b.co", "password=@-", input: input)
            #expect(outcome.status == Int32(status), "\(input.debugDescription)")
        }
    }

    @Test func printsOnePropertyOfTheResult() throws {
        let register = try call(
            "operators.register",
            "user.first_name=L",
            "user.last_name=S",
            "user.email=a@b.co",
            "password=p",
            "--result",
            "session_id"
        )
        #expect(register.status == 0 && register.errors == "" && register.output.count == 128)
        let session = ["user_id=1", "session_id=\(register.output)"]
        func result(_ path: String) throws -> PosternProcess.Outcome {
            try PosternProcess.run(["call", "operators.sessions"] + session + ["--result", path] + data)
        }
        #expect(try result("sessions.0.current").output == "true")
        #expect(try result("sessions.0").output.hasPrefix("{\n  \"id\": "))
        for (path, message) in [
            ("session", "the result has no session: it has only sessions"),
            ("sessions.1", "sessions has no 1: it has only 0"),
            ("sessions.0.id.x", "id has no x: it has no properties"), ("", "--result needs a value"),
        ] {
            let none = try result(path)
            #expect(
                none.status == (path.isEmpty ? 64 : 1) && none.output == "" && none.errors.contains(message),
                "\(none.errors)"
            )
        }
        // A variable that changes what is printed would break the scripts of others.
        let environment = ["POSTERN_RESULT": "id"]
        let whole = try PosternProcess.run(["call", "operators.sessions"] + session + data, environment: environment)
        #expect(whole.output.hasPrefix("{\n") && whole.errors.contains("POSTERN_RESULT has no effect"))
    }

    /// The error was preceded by the program's name once, and no program could read it.
    @Test func printsAnErrorAsJSON() throws {
        let refused = try call("care.auth.token", "email=a@b.co", "password=p")
        #expect(refused.status == 1 && refused.output == "")
        let error = try JSONValue(parsing: refused.errors)
        #expect(error["code"] == 401 && error["data"]?["errors"]?.array?.count == 1)
        // Other failures have the program's name.
        let none = try PosternProcess.run(["call", "system.info", "--data", folder.path("none")])
        #expect(none.status == 1 && none.errors.hasPrefix("postern: "))
    }

    /// While a call runs, every user of the machine can read its command line.
    @Test func hidesSecretsFromTheCommandLine() throws {
        let call = try PosternProcess(["call", "care.user.register", "-"] + data)
        call.write(Data(#"{"email":"a@b.co","role":"user","password":"se"#.utf8))
        // The call waits for the rest of its input. Meanwhile, other users see this command line.
        let place = "/proc/\(call.processIdentifier)/cmdline"
        var line = try String(contentsOfFile: place, encoding: .utf8)
        // Between fork and exec, the command line is still that of the test.
        for _ in 0..<500 where !line.contains("care.user.register") {
            usleep(10_000)
            line = try String(contentsOfFile: place, encoding: .utf8)
        }
        #expect(line.contains("care.user.register") && !line.contains("a@b.co"))
        call.write(Data(#"cret"}"#.utf8))
        call.finish()
        #expect(call.status == 0)
        let signIn = ["email": "a@b.co", "password": "secret"] as JSONValue
        #expect(try self.call("care.auth.token", "-", input: signIn.text).status == 0)
        // An error does not repeat a word that may be a secret.
        let slip = try self.call("care.auth.token", "email=a@b.co", "hunter2")
        #expect(slip.status == 64 && !slip.errors.contains("hunter2"))
    }

    /// On a terminal, the program prompts for a secret and does not echo it.
    @Test func promptsForAValueOnATerminal() throws {
        #expect(try call("care.user.register", "email=a@b.co", "password=secret", "role=user").status == 0)
        let command =
            "\(PosternProcess.binary.path) call care.auth.token email=a@b.co password=@- --data \(folder.path("store"))"
        // Input typed before the prompt is discarded.
        let shown = try PosternProcess.run(
            [],
            shell: "(for try in 1 2 3 4 5 6 7 8 9; do sleep 1; echo secret; done) | script -qec '\(command)' /dev/null"
        )
        #expect(shown.output.contains("password: ") && shown.output.contains("access_token"))
    }
}
