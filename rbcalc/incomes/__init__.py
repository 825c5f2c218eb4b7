"""What becomes of households as incomes move: cliffs along an amount, churn along a year."""
