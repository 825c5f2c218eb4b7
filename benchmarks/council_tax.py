class Work: 
    pass
