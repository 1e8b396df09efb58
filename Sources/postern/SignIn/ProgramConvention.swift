import ProgramSignIn

/// How another program asks: the value of `--as`.
enum ProgramConvention: Equatable {
    /// It starts a process for each attempt: `postern verify`.
    case oneShot(OneShotConvention)
    /// It keeps a process running: `postern helper`.
    case helper(HelperConvention)

    static let allCases = OneShotConvention.allCases.map(Self.oneShot) + HelperConvention.allCases.map(Self.helper)

    var name: String {
        switch self {
        case .oneShot(let convention): convention.rawValue
        case .helper(let convention): convention.rawValue
        }
    }
}
