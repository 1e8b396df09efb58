/// OpenVPN's `auth-user-pass-verify`, `via-file` and `via-env`.
///
/// `via-file` names a file in the last argument, with name and password in two lines; `via-env` sets `username` and
/// `password`, the latter only with `script-security 3`. `untrusted_ip`, or `untrusted_ip6`, is the address of the
/// client. Exit code 0 accepts, 2 defers, any other refuses.
enum OpenVPN: OneShotProgram {
    static let secretVariables = ["password"]

    static func question(in call: ProgramCall) throws -> Question {
        let script = call.text("script_type")
        guard script.isEmpty || script == "user-pass-verify" else {
            throw CallFault("script_type is not user-pass-verify: OpenVPN runs this as another script")
        }
        let address = call.variable("untrusted_ip") ?? call.variable("untrusted_ip6")
        guard call.hasFile else {
            return .attempt(
                Attempt(
                    name: try call.needed("username", ": via-file appends the name of a file, via-env sets variables"),
                    password: try call.needed("password", ": via-env needs script-security 3"),
                    from: address,
                    agent: agent
                )
            )
        }
        let text = try call.read(Limits.inputBytesMax)
        guard text.count <= Limits.inputBytesMax else { return .refused(reason: "the file is too long") }
        guard let (name, password) = TwoLines.read(text) else { return .refused(reason: "the file has not two lines") }
        return .attempt(Attempt(name: name, password: password, from: address, agent: agent))
    }

    private static let agent = "OpenVPN"
}
