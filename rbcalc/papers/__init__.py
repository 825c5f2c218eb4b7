"""The paper on an answer: its sections, tables and charts, the workbook, and made-up households."""
