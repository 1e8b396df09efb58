/// The account APIs of one store. It is a class because it is passed to every later phase.
package final class AccountAPIs {
    /// The store and every source of effects.
    package let environment: Environment
    /// Field operators and their clients.
    package let operators: Operators
    /// Users, clinicians and their patients.
    package let care: Care
    /// Customers, salespeople and internal users.
    package let sales: Sales

    /// - Parameter operatorsConfirmEmail: whether an operator must confirm the email before signing in.
    package init(_ environment: Environment, operatorsConfirmEmail: Bool = true) {
        self.environment = environment
        operators = Operators(environment, confirmsEmail: operatorsConfirmEmail)
        care = Care(environment)
        sales = Sales(environment)
    }
}
