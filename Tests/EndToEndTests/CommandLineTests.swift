import Foundation
import JSON
import PosternTesting
import Testing

/// The command line: flags, their environment variables, and each command's output.
struct CommandLineTests {
    /// The default build is one static file, which libpq does not allow.
    @Test(arguments: ["serve", "stats", "check", "export", "import"], ["postgres", "postgresql"])
    func saysWhichBuildHasPostgreSQL(command: String, scheme: String) throws {
        let outcome = try PosternProcess.run([command, "--data", "\(scheme)://app:secret@db/accounts"])
        #expect(outcome.status == 1 && outcome.output == "")
        let line = "postern: this build has no PostgreSQL; make release-postgres makes one that has\n"
        #expect(outcome.errors == line)
    }

    @Test(arguments: [
        (["--nonsense"], "unknown flag --nonsense"),
        (["-x"], "unknown flag -x"),
        (["frobnicate"], "unknown command frobnicate"),
        (["serve", "here"], "postern serve takes only flags"),
        (["--data"], "--data needs a value"),
        (["--data="], "--data needs a value"),
        (["--replies", "later"], "--replies takes in-order|as-completed, not later"),
        (["--framing", "x"], "--framing takes auto|line|header, not x"),
        (
            ["--mail", "post"],
            "--mail takes keep|directory:DIR|command:COMMAND|smtp://HOST|smtps://HOST|host, not post"
        ),
        (
            ["--mail", "smtp://me:secret@mx"],
            "not smtp://me:[…]@mx: smtp://[USER@]HOST[:PORT][/NAME], with the password in"
        ),
        (["--mail", "smtp:me:secret@mx"], "not smtp:me:[…]@mx: "),
        (["--mail", "smtp://me@mx"], "a user in --mail needs --mail-password-file"),
        (["--mail", "smtp://mx", "--mail-password-file", "/dev/null"], "--mail-password-file needs a user in --mail"),
        (
            ["--mail", "smtp://me@mx", "--mail-password-file", "/dev/null"],
            "the first line of /dev/null must be a password"
        ),
        (
            ["--mail", "smtps://me@mx", "--mail-password-file", "/nowhere"],
            "--mail-password-file: /nowhere: No such file"
        ),
        (["mail", "test"], "postern mail takes test ADDRESS"),
        (["mail", "send", "a@b.co"], "postern mail takes test ADDRESS"),
        (["mail", "test", "ann", "--mail", "smtp://mx"], "ann is not an email address"),
        (["mail", "test", "a@b.co"], "postern mail test needs --mail with a directory, a command or a mail server"),
        (["--mail-from", "nobody"], "--mail-from takes ADDRESS, not nobody"),
        (["--mail-templates", "/nonexistent"], "--mail-templates: open /nonexistent: No such file or directory"),
        (["--public-url", "localhost"], "--public-url takes URL, not localhost"),
        (["--log-level", "loud"], "--log-level takes error|warning|info, not loud"),
        (["--clock", "now", "--seed", "1"], "--clock takes TIME, not now"),
        (["--clock", "2016-02-30T00:00:00.000000Z"], "--clock takes TIME, not 2016-02-30T00:00:00.000000Z"),
        (["--clock", "1969-12-31T23:59:59.999999Z"], "--clock takes TIME, not 1969-12-31T23:59:59.999999Z"),
        (["--clock", "2300-01-01T00:00:00.000000Z"], "--clock takes TIME, not 2300-01-01T00:00:00.000000Z"),
        (["--seed", "1"], "--clock and --seed must be used together"),
        (["--data", "/tmp", "--seed", "1", "--clock", "2016-02-24T22:07:52.371513Z"], "need --data :memory:"),
        (["schema", "--seed", "1"], "--seed is not a flag of postern schema"),
        (["invite", "--role", "owner"], "--role takes customer|salesperson|admin, not owner"),
        (["call"], "postern call takes METHOD [JSON | NAME=VALUE … | -]"),
        (["call", "a", "b", "c"], "postern call takes params as NAME=VALUE, or as one argument of JSON"),
        (["call", "a", "b=1", "b=2"], "the param b is given twice"),
        (["call", "a", "b=1", "b.c=2"], "invalid name of a param: c"),
        (["call", "a", "b..c=2"], "invalid name of a param: .c"),
        (["call", "a", "b=@-", "c=@-"], "only one value can be read from stdin"),
        (["call", "system.info", "{"], "the params are not JSON"),
        (["outbox", "look"], "postern outbox takes list | show ID | retry ID | deliver"),
        (["outbox", "deliver", "--data", ":memory:"], "postern outbox deliver needs --mail"),
        (["help", "me"], "unknown command me"),
    ])
    func refusesAWrongCommandLineWithOneLine(arguments: [String], message: String) throws {
        let outcome = try PosternProcess.run(arguments)
        #expect(outcome.status == 64)
        #expect(outcome.output == "")
        #expect(outcome.errors.contains(message) && outcome.errors.hasPrefix("postern: "))
        #expect(outcome.errors.filter { $0 == "\n" }.count == 1)
    }

    @Test func printsHelpForEachCommand() throws {
        let overview = try PosternProcess.run(["--help"]).output
        let names = overview.matches(of: /\n  postern ([a-z]+)/).map { String($0.output.1) }
        #expect(names.contains("serve") && names.contains("salvage"))
        for name in names { try helps(with: name) }
    }

    private func helps(with name: String) throws {
        for arguments in [[name, "--help"], ["help", name], [name, "-h"]] {
            let outcome = try PosternProcess.run(arguments)
            #expect(outcome.status == 0 && outcome.errors == "")
            #expect(outcome.output.hasPrefix("Usage: postern \(name)"))
        }
        #expect(try PosternProcess.run(["--help"]).output.contains("postern \(name)"))
    }

    @Test func printsItsVersion() throws {
        let file = PosternProcess.repository.appendingPathComponent("VERSION")
        let version = try String(contentsOf: file, encoding: .utf8)
        for arguments in [["--version"], ["version"]] {
            #expect(try PosternProcess.run(arguments).output + "\n" == "postern \(version)")
        }
    }

    @Test func readsFlagsFromTheEnvironment() throws {
        let folder = TemporaryDirectory()
        let environment = ["POSTERN_DATA": folder.path("store"), "POSTERN_NO_EMAIL_CONFIRMATION": "1"]
        let register = #"{"user":{"first_name":"A","last_name":"B","email":"a@b.co"},"password":"p"}"#
        let sign = #"{"email":"a@b.co","password":"p"}"#
        let data = ["--data", folder.path("store")]
        try PosternProcess.run(data)
        #expect(try PosternProcess.run(["call", "operators.register", register] + data).status == 0)
        #expect(try PosternProcess.run(["call", "operators.signin", sign], environment: environment).status == 0)
        // The command line takes precedence, and variables for flags of other commands are ignored.
        let flag = "--no-email-confirmation=0"
        let outcome = try PosternProcess.run(["call", "operators.signin", sign, flag], environment: environment)
        #expect(outcome.status == 1 && outcome.errors.contains("account_invalid_or_unconfirmed"))
        #expect(try PosternProcess.run(["schema"], environment: ["POSTERN_SEED": "x"]).status == 0)
        let wrong = try PosternProcess.run(["stats"], environment: ["POSTERN_LOG_LEVEL": "x"])
        #expect(wrong.status == 64 && wrong.errors.contains("POSTERN_LOG_LEVEL takes"))
    }

    @Test func callsAMethod() throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store")]
        try PosternProcess.run(data)
        let info = try PosternProcess.run(["call", "system.info"] + data)
        #expect(info.status == 0 && info.errors == "")
        #expect(try JSONValue(parsing: info.output)["store"]?["kind"]?.string == "directory")
        #expect(info.output.contains("{\n  \"name\": \"postern\",\n"))

        let refused = try PosternProcess.run(["call", "operators.signin", #"{"email":"a@b.co"}"#] + data)
        #expect(refused.status == 1 && refused.output == "")
        #expect(refused.errors.contains("\"code\": -3") && refused.errors.contains("field_required"))
        #expect(try PosternProcess.run(["call", "no.method"] + data).errors.contains("-32601"))
        // Methods of deterministic mode are not available otherwise.
        #expect(try PosternProcess.run(["call", "system.outbox"] + data).errors.contains("-32601"))
    }

    @Test func invitesAndShowsTheOutboxAndCounts() throws {
        let folder = TemporaryDirectory()
        let data = ["--data", folder.path("store")]
        try PosternProcess.run(data)
        let code = try PosternProcess.run(["invite"] + data).output
        #expect(code.range(of: "^[0-9a-f]{32}$", options: .regularExpression) != nil)
        let customer =
            #"{"email":"c@b.co","password":"p","referral_code":"\#(code)","source":"x","name":{"first":"C","last":"D"}}"#
        #expect(try PosternProcess.run(["call", "sales.user.create_customer", customer] + data).status == 0)

        let list = try PosternProcess.run(["outbox", "list"] + data).output.split(separator: "\t")
        #expect(list.count == 8 && list[0] == "1" && list[2...4] == ["waiting", "c@b.co", "Verify your email"])
        #expect(list[5] == "0" && list[6] == list[1] && list[7] == "-")
        let mail = try PosternProcess.run(["outbox", "show", "1"] + data).output
        #expect(mail.contains("To: c@b.co\nSubject: Verify your email\n"))
        #expect(
            mail.range(of: #"\nhttp://localhost/verification\?token=1-[0-9a-f]{32}\n"#, options: .regularExpression)
                != nil
        )
        for id in ["2", "x", "99999999999999999999"] {
            let none = try PosternProcess.run(["outbox", "show", id] + data)
            #expect(none.status == 1 && none.errors == "postern: there is no mail \(id)\n")
        }
        let statistics = try PosternProcess.run(["stats"] + data).output
        #expect(statistics.contains(" in \(folder.path("store"))\n") && statistics.contains("sales.users: 1"))
    }

    @Test func printsANoteOnATerminal() throws {
        // `script` gives the program a terminal for its input and output.
        let outcome = try PosternProcess.run(
            ["--data", ":memory:"],
            shell: #"script -qec "$1 $2 $3" /dev/null < /dev/null"#
        )
        #expect(outcome.output.contains("postern: the store is :memory:; type one request per line"))
    }

    @Test func reportsWhereTheStoreCannotBeCreated() throws {
        let outcome = try PosternProcess.run(["--data", "/dev/null/store"])
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("postern: ") && outcome.errors.filter { $0 == "\n" }.count == 1)
    }
}
