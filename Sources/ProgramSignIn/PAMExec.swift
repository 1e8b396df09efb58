/// The PAM module pam_exec with `expose_authtok`: the name in `PAM_USER`, and the password on stdin, up to a NUL or the
/// end.
///
/// `PAM_TYPE` is the phase that the module runs in. Only `auth` has a password, and a stack that has the module in
/// another phase must not take it for a success. `PAM_RHOST` is the address or the name of the client, `PAM_SERVICE`
/// the program. Every exit code but 0 is an error for the stack.
enum PAMExec: OneShotProgram {
    static func question(in call: ProgramCall) throws -> Question {
        let phase = call.text("PAM_TYPE")
        guard phase == "auth" else { return .refused(reason: "PAM_TYPE is not auth") }
        let name = try call.needed("PAM_USER")
        let text = try call.read(Limits.inputBytesMax)
        guard text.count <= Limits.inputBytesMax else { return .refused(reason: "the password is too long") }
        let password = text.prefix { $0 != 0 }
        // pam_exec writes nothing without expose_authtok, and also for an empty password.
        guard !password.isEmpty else {
            return .refused(reason: "no password on stdin; pam_exec needs expose_authtok")
        }
        let service = call.text("PAM_SERVICE")
        return .attempt(
            Attempt(
                name: name,
                password: password,
                from: call.variable("PAM_RHOST"),
                agent: service.isEmpty ? "pam_exec" : "pam_exec \(service)"
            )
        )
    }
}
