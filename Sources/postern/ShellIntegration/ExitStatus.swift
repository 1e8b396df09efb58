/// The exit codes of the program.
enum ExitStatus: Int32, CaseIterable {
    case success = 0, failure = 1
    /// A wrong command line (sysexits.h, EX_USAGE).
    case usage = 64
    /// A question of another program that has no answer now, or not with this configuration. It is the code of a
    /// temporary failure in the interface of checkpassword.
    case unanswered = 111

    /// When the program ends with it, as the man page says it.
    var meaning: String {
        switch self {
        case .success: "The command succeeded. For verify: the person may sign in."
        case .failure:
            "The command failed, and stderr says why: for call, with the error of the method. For verify: the person "
                + "may not sign in. For test: a step failed. For check and salvage: something in the store is wrong."
        case .usage: "The command line is wrong, or an environment variable of a flag is."
        case .unanswered: "For verify: the question cannot be answered now, or not with this configuration."
        }
    }
}
