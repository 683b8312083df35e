// Dependencies that plugin-tee declares and its code never loads.
