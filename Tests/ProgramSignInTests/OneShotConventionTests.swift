import Accounts
import JSON
import ProgramSignIn
import Testing

/// How programs that start a process for each attempt pass name and password.
struct OneShotConventionTests {
    private static func call(
        _ variables: [String: String] = [:],
        input: some Collection<UInt8> = [UInt8](),
        hasFile: Bool = false
    ) -> ProgramCall {
        let input = Array(input)
        return ProgramCall(
            variable: { name in variables[name].map { Array($0.utf8) } },
            read: { bytesMax in Array(input.prefix(bytesMax + 1)) },
            hasFile: hasFile
        )
    }

    private static func attempt(_ convention: OneShotConvention, _ call: ProgramCall) throws -> Attempt? {
        guard case .attempt(let attempt) = try convention.question(in: call) else { return nil }
        return attempt
    }

    private static func password(_ bytes: some Collection<UInt8>) -> Password { Password(bytes) }

    private static let account = AccountSummary(
        account: "care:1",
        api: "care",
        id: 1,
        externalID: nil,
        email: "a@b.co",
        emailConfirmed: true,
        firstName: "Zoë",
        lastName: "B",
        role: "user",
        phone: nil,
        locale: nil,
        created: Timestamp(microseconds: 0),
        disabled: nil
    )

    // MARK: Two lines

    /// Each pair of conventions and calls that pass two lines.
    private static func inTwoLines(_ text: some Collection<UInt8>) -> [(OneShotConvention, ProgramCall)] {
        [(.authnz, call(["AUTHTYPE": "PASS"], input: text)), (.openvpn, call(input: text, hasFile: true))]
    }

    @Test(arguments: [
        ("a@b.co\npassword\n", "a@b.co", "password"), ("a@b.co\npassword", "a@b.co", "password"),
        ("a@b.co\n\n", "a@b.co", ""), ("a@b.co\n p \n", "a@b.co", " p "), ("\npassword\n", "", "password"),
        // A password is never altered.
        ("a@b.co\npassword\r\n", "a@b.co", "password\r"), ("a@b.co\r\np\u{0}q\n", "a@b.co\r", "p\u{0}q"),
        ("Zoë\npässwörd\n", "Zoë", "pässwörd"),
    ])
    func readsTwoLines(text: String, name: String, password: String) throws {
        for (convention, call) in Self.inTwoLines(text.utf8) {
            let attempt = try #require(try Self.attempt(convention, call))
            #expect(attempt.name == name && attempt.password == Self.password(password.utf8))
        }
    }

    /// A name with a line feed would make what follows it the password.
    @Test(arguments: ["a@b.co", "a@b.co\n", "a@b.co\nguess\nx\n", "a@b.co\nguess\n\n", "\n", "\n\n\n"])
    func refusesOtherNumbersOfLines(text: String) throws {
        for (convention, call) in Self.inTwoLines(text.utf8) {
            #expect(try Self.attempt(convention, call) == nil)
        }
    }

    @Test func refusesAnInputThatIsTooLong() throws {
        for bytes in [16 << 10, (16 << 10) + 1] {
            let text = Array("a@b.co\n".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: bytes - 7)
            for (convention, call) in Self.inTwoLines(text) {
                #expect(try (Self.attempt(convention, call) == nil) == (bytes > 16 << 10))
            }
        }
    }

    @Test func aNameThatIsNotUTF8IsNoEmail() throws {
        for (convention, call) in Self.inTwoLines([0x61, 0x40, 0xFF, 0x0A, 0xFF, 0x0A]) {
            let attempt = try #require(try Self.attempt(convention, call))
            #expect(attempt.name == "" && attempt.password == Self.password([0xFF]))
        }
    }

    // MARK: Apache

    @Test func apacheReportsTheAddress() throws {
        let variables = ["AUTHTYPE": "PASS", "IP": "192.0.2.7", "HOST": "client.example", "URI": "/"]
        let attempt = try Self.attempt(.authnz, Self.call(variables, input: "a@b.co\np\n".utf8))
        #expect(attempt?.ip == "192.0.2.7" && attempt?.agent == "mod_authnz_external")
    }

    /// With the method `environment` there is no input, and a group is not a password.
    @Test func apacheMustAskForAPasswordThroughAPipe() throws {
        #expect(throws: CallFault.self) { try OneShotConvention.authnz.question(in: Self.call(["USER": "a@b.co"])) }
        let group = Self.call(["AUTHTYPE": "GROUP"], input: "a@b.co\nadmins\n".utf8)
        #expect(try Self.attempt(.authnz, group) == nil)
    }

    // MARK: PAM

    private static let pam = [
        "PAM_TYPE": "auth", "PAM_USER": "a@b.co", "PAM_SERVICE": "sshd", "PAM_RHOST": "2001:DB8::7",
    ]

    @Test(arguments: ["password", "password\u{0}", "password\u{0}rest\n"])
    func pamPassesThePasswordUpToANULOrTheEnd(input: String) throws {
        let attempt = try #require(try Self.attempt(.pam, Self.call(Self.pam, input: input.utf8)))
        #expect(attempt.name == "a@b.co" && attempt.password == Self.password("password".utf8))
        #expect(attempt.ip == "2001:db8::7" && attempt.agent == "pam_exec sshd")
    }

    @Test(arguments: ["", "\u{0}", "\u{0}password"])
    func pamWithoutAPasswordIsNoAttempt(input: String) throws {
        #expect(try Self.attempt(.pam, Self.call(Self.pam, input: input.utf8)) == nil)
    }

    @Test(arguments: ["account", "password", "open_session", "close_session", "setcred", "AUTH", ""])
    func pamAsksOnlyInThePhaseAuth(phase: String) throws {
        let variables = Self.pam.merging(["PAM_TYPE": phase]) { $1 }
        #expect(try Self.attempt(.pam, Self.call(variables, input: "password".utf8)) == nil)
    }

    @Test func pamNeedsAUser() throws {
        let call = Self.call(["PAM_TYPE": "auth"], input: "password".utf8)
        #expect(throws: CallFault.self) { try OneShotConvention.pam.question(in: call) }
    }

    /// The name of a host is no address, and neither is one with a port or a zone.
    @Test(arguments: ["client.example", "", "192.0.2.7:22", "fe80::1%eth0", "1.2.3", "192.0.2.7\n"])
    func dropsWhatIsNoAddress(host: String) throws {
        let variables = Self.pam.merging(["PAM_RHOST": host]) { $1 }
        let attempt = try #require(try Self.attempt(.pam, Self.call(variables, input: "password".utf8)))
        #expect(attempt.ip == nil)
    }

    // MARK: OpenVPN

    @Test func openVPNPassesVariablesOrAFile() throws {
        let address = ["untrusted_ip": "192.0.2.7", "script_type": "user-pass-verify"]
        let named = address.merging(["username": "a@b.co", "password": "p\nq"]) { $1 }
        let inVariables = try #require(try Self.attempt(.openvpn, Self.call(named)))
        #expect(inVariables.name == "a@b.co" && inVariables.password == Self.password("p\nq".utf8))
        // The file has the attempt, whatever the variables are.
        let inFile = try #require(
            try Self.attempt(.openvpn, Self.call(named, input: "c@d.co\nr\n".utf8, hasFile: true))
        )
        #expect(inFile.name == "c@d.co" && inFile.password == Self.password("r".utf8))
        for attempt in [inVariables, inFile] { #expect(attempt.ip == "192.0.2.7" && attempt.agent == "OpenVPN") }
        let overIPv6 = ["untrusted_ip6": "::ffff:192.0.2.7", "username": "a@b.co", "password": "p"]
        #expect(try Self.attempt(.openvpn, Self.call(overIPv6))?.ip == "192.0.2.7")
    }

    @Test(arguments: [
        [:], ["username": "a@b.co"], ["password": "p"],
        ["username": "a@b.co", "password": "p", "script_type": "client-connect"],
    ])
    func openVPNMustCallAsDocumented(variables: [String: String]) throws {
        #expect(throws: CallFault.self) { try OneShotConvention.openvpn.question(in: Self.call(variables)) }
    }

    // MARK: Home Assistant

    @Test func homeAssistantPassesVariablesAndReadsTheName() throws {
        let call = Self.call(["username": "a@b.co", "password": ""])
        let attempt = try #require(try Self.attempt(.env, call))
        #expect(attempt.name == "a@b.co" && attempt.password.isEmpty && attempt.ip == nil)
        #expect(OneShotConvention.env.output(.yes(Self.account), in: call) == "name = Zoë B\n")
        var account = Self.account
        (account.firstName, account.lastName) = ("", "")
        #expect(OneShotConvention.env.output(.yes(account), in: call) == "")
        // A line of its own could make the person an administrator.
        account.firstName = "A\ngroup = system-admin"
        #expect(OneShotConvention.env.output(.yes(account), in: call) == "")
        for verdict in [Verdict.no, .later] { #expect(OneShotConvention.env.output(verdict, in: call) == "") }
        #expect(throws: CallFault.self) { try OneShotConvention.env.question(in: Self.call(["username": "a@b.co"])) }
    }

    // MARK: SFTPGo

    private static let sftpgo = [
        "SFTPGO_AUTHD_USERNAME": "a@b.co", "SFTPGO_AUTHD_PASSWORD": "p", "SFTPGO_AUTHD_IP": "192.0.2.7",
        "SFTPGO_AUTHD_PROTOCOL": "SSH", "SFTPGO_AUTHD_USER": "",
    ]

    @Test func sftpgoPassesVariables() throws {
        let attempt = try #require(try Self.attempt(.json, Self.call(Self.sftpgo)))
        #expect(attempt.name == "a@b.co" && attempt.password == Self.password("p".utf8))
        #expect(attempt.ip == "192.0.2.7" && attempt.agent == "SFTPGo SSH")
    }

    /// A sign-in with a public key has no password.
    @Test func sftpgoWithoutAPasswordIsNoAttempt() throws {
        let variables = Self.sftpgo.merging(["SFTPGO_AUTHD_PASSWORD": "", "SFTPGO_AUTHD_PUBLIC_KEY": "ssh-rsa AAAA"]) {
            $1
        }
        #expect(try Self.attempt(.json, Self.call(variables)) == nil)
        #expect(throws: CallFault.self) { try OneShotConvention.json.question(in: Self.call()) }
    }

    /// An empty output with exit code 0 would be a success.
    @Test func sftpgoReadsAUserWithoutANameAsARefusal() throws {
        for verdict in [Verdict.no, .later, .known] {
            let output = OneShotConvention.json.output(verdict, in: Self.call(Self.sftpgo))
            #expect(output == #"{"username":""}"# + "\n")
        }
    }

    @Test func sftpgoGetsANewUserOrTheOneThatItHas() throws {
        func call(_ user: String) -> ProgramCall {
            Self.call(Self.sftpgo.merging(["SFTPGO_AUTHD_USER": user]) { $1 })
        }
        func output(_ user: String) throws -> JSONValue {
            try JSONValue(parsing: OneShotConvention.json.output(.yes(Self.account), in: call(user)))
        }
        let new: JSONValue = ["status": 1, "username": "a@b.co", "email": "a@b.co", "permissions": ["/": ["*"]]]
        for user in ["", "{}", #"{"id":0,"username":""}"#] { #expect(try output(user) == new) }
        let known = #"{"id":7,"status":0,"username":"a@b.co","quota_size":12345678901234567890,"home_dir":"/srv/a"}"#
        #expect(try output(known) == JSONValue(parsing: known))
        for user in ["{", #"{"id":7,"username":"c@d.co"}"#] {
            #expect(throws: CallFault.self) { try OneShotConvention.json.question(in: call(user)) }
            #expect(try output(user) == ["username": ""])
        }
    }
}
