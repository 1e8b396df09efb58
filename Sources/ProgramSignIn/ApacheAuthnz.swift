/// Apache's mod_authnz_external with the method `pipe`: name and password in two lines on stdin.
///
/// `AUTHTYPE` is `PASS`, or `GROUP` if the module asks whether a user is in a group. `IP` is the address of the client.
/// Apache looks only at the exit code: any other than 0 is a refusal.
enum ApacheAuthnz: OneShotProgram {
    static func question(in call: ProgramCall) throws -> Question {
        guard call.variable("AUTHTYPE") ?? Array("PASS".utf8) == Array("PASS".utf8) else {
            return .refused(reason: "mod_authnz_external asks for a group")
        }
        let text = try call.read(Limits.inputBytesMax)
        guard !text.isEmpty else {
            throw CallFault("stdin has no name and no password: the method of mod_authnz_external must be pipe")
        }
        guard text.count <= Limits.inputBytesMax else { return .refused(reason: "the input is too long") }
        guard let (name, password) = TwoLines.read(text) else {
            return .refused(reason: "the input has not two lines")
        }
        return .attempt(
            Attempt(name: name, password: password, from: call.variable("IP"), agent: "mod_authnz_external")
        )
    }
}
